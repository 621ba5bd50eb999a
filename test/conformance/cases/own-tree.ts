// A device with a tree of its own: what it publishes and subscribes reaches nobody, and nobody reaches it, but through Parley.

import { must, mustNotHear } from "@parley/cli/broker-check/case";
import type { NativeDevice, Person } from "@parley/cli/broker-check/world";
import { deviceTopic, messagesTopic, treeMountpoint, treeUplinkPrefix, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Case } from "../case.ts";
import type { SpokenDevice, World } from "../world.ts";
import { programs } from "../world.ts";

const { mqttChat, slimchat } = programs;
const mark = "raw-mark";

interface Scene {
  bob: Person;
  mallory: SpokenDevice;
  native: NativeDevice;
  /** a device of bob's with a tree, in which all is subscribed */
  other: SpokenDevice;
  /** topics of others and of services */
  topics: string[];
  /** What mallory published before is at the broker, and everybody has what came of it. */
  settled(): Promise<void>;
}

async function openScene(world: World): Promise<Scene> {
  const [bob, evil] = (await world.people(2)) as [Person, Person];
  const native = await world.native(bob);
  const other = await world.speaks(slimchat, bob, { device: "slim" });
  const mallory = await world.speaks(mqttChat, evil);
  const p = ingestPartition(other.clientId);
  const tree = treeMountpoint({ p, owner: "user", uid: bob.uid, clientId: other.clientId });
  let ends = 0;
  return {
    bob,
    mallory,
    native,
    other,
    topics: [
      messagesTopic(bob.uid),
      uplinkTopic({ p: ingestPartition(native.clientId), uid: bob.uid, clientId: native.clientId, verb: "msg" }),
      `${tree}$IM/user/${bob.uid}`,
      `${treeUplinkPrefix(tree)}$IM/user/${bob.uid}`,
      `../../${other.clientId}/t`,
      "/",
      "a/b",
      "$SYS/broker/uptime",
      "$share/g/a/b",
    ],
    async settled() {
      const end = `end ${ends++}`;
      mallory.say({ user: bob.uid }, end);
      await Promise.all([native.hearsText(end), other.hearsText(end)]);
    },
  };
}

export const ownTree: Case[] = [
  {
    about: "own tree",
    holds: "a topic leads to nobody but the device's own router, at any QoS",
    async run(world) {
      const { bob, mallory, native, other, topics, settled } = await openScene(world);
      const forged = JSON.stringify({ id: mark, to: `user/${bob.uid}`, content: { type: "text", data: mark } });
      for (const topic of topics) for (const qos of [0, 1, 2] as const) mallory.client.publish(topic, forged, { qos });
      await settled();
      mustNotHear(mark, native, other, mallory);
      return `${topics.length} topics, nobody heard`;
    },
  },
  {
    about: "own tree",
    holds: "no filter, wild or shared, hears what is another's",
    async run(world) {
      const { bob, mallory, native, other, topics } = await openScene(world);
      const wild = ["#", "+/#", "+", "im/#", "im/x/#", "im/xu/+/+/+/#", "$SYS/#", "/#", "../#", ...topics.slice(0, 7)];
      const filters = [...wild, ...wild.map((filter) => `$share/g/${filter}`)];
      const codes: number[] = [];
      for (const filter of filters) codes.push(...(await mallory.subscribe(filter)));
      const secret = `secret ${mark}`;
      other.say({ user: bob.uid }, secret);
      await native.say(`user/${bob.uid}`, `${secret} too`);
      await other.hearsText(`${secret} too`);
      const end = "for you";
      await native.say(`user/${mallory.person.uid}`, end);
      await mallory.hearsText(end);
      mustNotHear(mark, mallory);
      must(codes.length === filters.length, "a SUBSCRIBE ended the connection");
      const refused = codes.filter((code) => code >= 0x80).length;
      return refused === 0 ? "all granted, silent" : `${refused} of ${codes.length} refused, the others silent`;
    },
  },
  {
    about: "own tree",
    holds: "the device hears nothing that it published itself",
    async run(world) {
      const { mallory, settled, native } = await openScene(world);
      await mallory.subscribe("#");
      await mallory.subscribe("a/b");
      for (const qos of [0, 1, 2] as const) mallory.client.publish("a/b", mark, { qos });
      await settled();
      await native.say(`user/${mallory.person.uid}`, "end");
      await mallory.hearsText("end");
      mustNotHear(mark, mallory);
      return "nothing came back";
    },
  },
  {
    about: "own tree",
    holds: "what is published as retained is kept for nobody",
    async run(world) {
      const { mallory, native, settled } = await openScene(world);
      const { uid } = mallory.person;
      for (const topic of ["a/profile", `${uid}/x/y`, `${uid}/s/p`])
        for (const qos of [0, 1] as const) mallory.client.publish(topic, mark, { qos, retain: true });
      await settled();
      const late = await world.speaks(mqttChat, mallory.person, { device: "late" });
      for (const filter of ["#", "a/profile", `${uid}/x/y`]) await late.subscribe(filter);
      await native.say(`user/${uid}`, "end");
      await late.hearsText("end");
      mustNotHear(mark, late, native);
      must(
        late.heard.every(({ packet }) => !packet.retain),
        "a retained packet came",
      );
      return "nothing retained";
    },
  },
  {
    about: "own tree",
    holds: "a Last Will reaches whom its protocol says, and no topic of another's",
    async run(world) {
      const { bob, mallory, native, other, settled } = await openScene(world);
      const kind = { user: bob.uid };
      const from = mallory.person.uid;
      const fair = slimchat.write({ id: "my-will", from, to: kind, text: "I was cut" });
      for (const [device, will] of [
        ["raw", { topic: messagesTopic(bob.uid), payload: Buffer.from(mark), qos: 1 as const, retain: false }],
        ["fair", { topic: fair.topic, payload: Buffer.from(fair.payload), qos: 0 as const, retain: false }],
      ] as const)
        await (await world.speaks(slimchat, mallory.person, { device, will })).cut();
      await Promise.all([native.hearsText("I was cut"), other.hearsText("I was cut")]);
      await settled();
      mustNotHear(mark, native, other, mallory);
      return "its message came, the other Will nowhere";
    },
  },
  {
    about: "own tree",
    holds: "what is published at QoS 0 is kept as surely as at QoS 1",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const [device, other] = [await world.speaks(slimchat, ann), await world.native(bob)];
      const count = 40;
      for (let at = 0; at < count; at++) {
        const said = { id: `q${at}`, from: ann.uid, to: { user: bob.uid }, text: `text ${at}` };
        const { topic, payload } = slimchat.write(said);
        device.client.publish(topic, payload, { qos: 0 });
      }
      for (let at = 0; at < count; at++) {
        must((await device.acked(`q${at}`)).seq === at + 1, `message ${at} does not stand as ${at + 1}`);
        await other.hearsText(`text ${at}`);
      }
      return `${count} of ${count} kept, in order`;
    },
  },
  {
    about: "own tree",
    holds: "where the protocol has no SUBSCRIBE the device hears all the same, from its first packet on",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const device = await world.speaks(slimchat, ann);
      await device.acked(device.say({ user: ann.uid }, "to myself"));
      await (await world.native(bob)).say(`user/${ann.uid}`, "hello");
      const { seq } = await device.hearsText("hello");
      must(device.heard.filter(({ text }) => text.includes("hello")).length === 1, "it came more than once");
      must(seq === 1, `its seq is ${seq}`);
      return "heard once, on topics that begin with $";
    },
  },
  {
    about: "own tree",
    holds: "a filter that begins with $ hears what is said there",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const clientId = `any-${ann.uid}`;
      const device = await world.connect({ username: ann.uid, password: ann.password, clientId });
      const [code = 0x80] = await device.subscribe("$IM/#");
      must(code < 0x80, `the filter was refused by ${code}`);
      await (await world.native(bob)).say(`user/${ann.uid}`, "hello");
      const { topic } = await device.hears("hello", ({ text }) => text.includes("hello"));
      must(topic === `$IM/user/${ann.uid}`, `it came on ${topic}`);
      return "$IM/# hears $IM/user/…";
    },
  },
  {
    about: "own tree",
    holds: "native topics may be used in a tree as well",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const { uid } = ann;
      const login = { clientId: `${uid}~web`, password: ann.password };
      const [device, other] = [await world.speaks(mqttChat, ann, login), await world.native(bob)];
      const { clientId } = device;
      await device.subscribe(deviceTopic(uid, clientId));
      const topic = uplinkTopic({ p: ingestPartition(clientId), uid, clientId, verb: "msg" });
      const packet = { id: "n1", to: `user/${bob.uid}`, content: { type: "text", data: "hi" } };
      await device.publish(topic, JSON.stringify(packet));
      await device.hears("the ack", ({ text }) => text.includes('"ack"') && text.includes('"n1"'));
      await other.hearsText("hi");
      return "acknowledged, and heard";
    },
  },
  {
    about: "own tree",
    only: 5,
    holds: "a Topic Alias stands for the topic it was given, within its own connection",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const [device, other] = [await world.speaks(slimchat, ann), await world.native(bob)];
      const said = (at: number) =>
        slimchat.write({ id: `a${at}`, from: ann.uid, to: { user: bob.uid }, text: `by alias ${at}` });
      const properties = { topicAlias: 1 };
      if (device.topicAliases === 0) return "the broker grants none";
      await device.publish(said(0).topic, said(0).payload, { properties });
      await device.publish("", said(1).payload, { properties });
      await other.hearsText("by alias 0");
      await other.hearsText("by alias 1");
      return "given once, used twice";
    },
  },
  {
    about: "own tree",
    only: 5,
    holds: "nothing is sent to a Response Topic that is another's",
    async run(world) {
      const { mallory, native, other, topics, settled } = await openScene(world);
      for (const responseTopic of topics.slice(0, 4))
        await mallory.publish("ask/x", mark, { properties: { responseTopic, correlationData: Buffer.from(mark) } });
      await settled();
      mustNotHear(mark, native, other);
      return "nobody heard";
    },
  },
];
