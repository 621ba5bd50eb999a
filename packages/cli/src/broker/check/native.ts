// Parley's own protocol: which topics are a device's, what is acknowledged, what a session keeps.
import {
  deviceUplinkFilter,
  messagesTopic,
  rosterAdd,
  treeMountpoint,
  treeUplinkPrefix,
  uplinkTopic,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { type Case, must, mustNotHear } from "./case.ts";
import type { NativeDevice, Person, World } from "./world.ts";

const mark = "raw-mark";

/** All below its first levels. */
const below = (topic: string, levels: number) => `${topic.split("/").slice(0, levels).join("/")}/#`;

async function pair(world: World): Promise<{ ann: Person; bob: Person; phone: NativeDevice; other: NativeDevice }> {
  const [ann, bob] = (await world.people(2)) as [Person, Person];
  return { ann, bob, phone: await world.native(ann), other: await world.native(bob) };
}

const seqsOf = ({ heard }: NativeDevice) =>
  heard.flatMap(({ text }) => {
    const { seq, content } = JSON.parse(text) as { seq?: number; content?: object };
    return content === undefined ? [] : [seq];
  });

export const native: Case<World>[] = [
  {
    about: "native",
    holds: "a message is acknowledged with its seq, and reaches all devices of both users",
    async run(world) {
      const { ann, bob, phone, other } = await pair(world);
      const desk = await world.native(ann, { device: "desk" });
      const { conv, seq } = await phone.say(`user/${bob.uid}`, "hello");
      await Promise.all([other, desk].map((device) => device.hearsText("hello")));
      must(seq === 1 && conv.startsWith("p2p/"), `it was acknowledged as ${conv} ${seq}`);
      return "acknowledged as 1, heard by both";
    },
  },
  {
    about: "native",
    holds: "messages of one device keep their order",
    async run(world) {
      const { bob, phone, other } = await pair(world);
      const count = 60;
      const said = Array.from({ length: count }, (_, at) => phone.say(`user/${bob.uid}`, `text ${at}`));
      const seqs = (await Promise.all(said)).map(({ seq }) => seq);
      await other.hearsText(`text ${count - 1}`);
      const expected = Array.from({ length: count }, (_, at) => at + 1);
      must(seqs.join() === expected.join(), `acknowledged as ${seqs.join()}`);
      must([...new Set(seqsOf(other))].join() === expected.join(), `heard as ${seqsOf(other).join()}`);
      return `${count} in order`;
    },
  },
  {
    about: "native",
    holds: "the same id sent again is the same message",
    async run(world) {
      const { bob, phone, other } = await pair(world);
      const first = await phone.say(`user/${bob.uid}`, "one", "same-id");
      phone.heard.length = 0;
      const again = await phone.say(`user/${bob.uid}`, "another", "same-id");
      await phone.say(`user/${bob.uid}`, "end");
      await other.hearsText("end");
      must(first.seq === again.seq, `acknowledged as ${first.seq} and as ${again.seq}`);
      mustNotHear("another", other);
      return "acknowledged with the same seq";
    },
  },
  {
    about: "native",
    holds: "no filter but the device's own topics is granted",
    async run(world) {
      const { ann, bob, phone, other } = await pair(world);
      const theirs = [messagesTopic(bob.uid), below(messagesTopic(bob.uid), 3)];
      const uplinks = below(deviceUplinkFilter(bob.uid, other.clientId), 2);
      const trees = below(treeMountpoint({ p: "0", owner: "user", uid: bob.uid, clientId: other.clientId }), 2);
      const wild = ["#", "+/#", below(uplinks, 1), uplinks, trees, "$SYS/#", "/#"];
      const shared = [`$share/g/${messagesTopic(ann.uid)}`, "$share/g/#"];
      const seen = new Set<string>();
      for (const filter of [...theirs, ...wild, ...shared]) {
        const spy = await world.native(ann, { device: "spy" });
        const [code] = await spy.subscribe(filter);
        must(code === undefined || code >= 0x80, `${filter} was granted`);
        seen.add(code === undefined ? "closed" : `SUBACK 0x${code.toString(16)}`);
        await spy.leave();
      }
      await phone.say(`user/${bob.uid}`, "fine");
      await other.hearsText("fine");
      return [...seen].join(", ");
    },
  },
  {
    about: "native",
    holds: "a publish on a topic that is not the device's reaches nobody",
    async run(world) {
      const { ann, bob, phone, other } = await pair(world);
      const p = ingestPartition(other.clientId);
      const tree = treeMountpoint({ p: "0", owner: "user", uid: "x", clientId: "y" });
      const forged = JSON.stringify({ id: mark, to: `user/${ann.uid}`, content: { type: "text", data: mark } });
      const topics = [
        messagesTopic(bob.uid),
        uplinkTopic({ p, uid: bob.uid, clientId: other.clientId, verb: "msg" }),
        `${treeUplinkPrefix(tree)}t`,
        "a/b",
      ];
      const seen = new Set<string>();
      for (const topic of topics) {
        const spy = await world.native(ann, { device: "spy" });
        const how = await spy.publish(topic, forged);
        if (world.version === 5) must(how !== "taken", `${topic} was taken`);
        seen.add(how);
        await spy.leave();
      }
      await phone.say(`user/${bob.uid}`, "fine");
      await other.hearsText("fine");
      mustNotHear(mark, phone, other);
      return `${[...seen].join(", ")}; nobody heard`;
    },
  },
  {
    about: "native",
    holds: "a Last Will on a topic that is not the device's reaches nobody",
    async run(world) {
      const { ann, bob, phone, other } = await pair(world);
      const will = { topic: messagesTopic(bob.uid), payload: Buffer.from(mark), qos: 1 as const, retain: false };
      const spy = await world.native(ann, { device: "spy", will }).catch((error: Error) => error);
      if (!(spy instanceof Error)) await spy.cut();
      await phone.say(`user/${bob.uid}`, "fine");
      await other.hearsText("fine");
      mustNotHear(mark, other);
      return spy instanceof Error ? "not let in" : "not published";
    },
  },
  {
    about: "native",
    holds: "nothing is retained",
    async run(world) {
      const { ann, bob, phone, other } = await pair(world);
      const packet = JSON.stringify({
        id: "kept",
        to: `user/${bob.uid}`,
        content: { type: "text", data: "retained?" },
      });
      const how = await phone.publish(phone.topics.publish.msg, packet, { retain: true });
      const late = await world.native(bob, { device: "late" });
      const sender = await world.native(ann);
      await sender.say(`user/${bob.uid}`, "end");
      await Promise.all([late.hearsText("end"), other.hearsText("end")]);
      must(
        [...late.heard, ...other.heard].every(({ packet: { retain } }) => !retain),
        "a retained packet came",
      );
      return how === "taken" ? "the flag was taken off" : `refused (${how})`;
    },
  },
  {
    about: "native",
    holds: "a persistent session has what came while its device was away",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const [first, other] = [await world.native(ann, { keeps: true }), await world.native(bob)];
      await first.leave();
      for (let at = 0; at < 5; at++) await other.say(`user/${ann.uid}`, `away ${at}`);
      const back = await world.native(ann, { keeps: true });
      await back.hearsText("away 4");
      must([...new Set(seqsOf(back))].join() === "1,2,3,4,5", `it heard ${seqsOf(back).join()}`);
      return "5 of 5";
    },
  },
  {
    about: "native",
    holds: "typing and receipts come while both are there",
    async run(world) {
      const { bob, phone, other } = await pair(world);
      const { conv } = await phone.say(`user/${bob.uid}`, "hello");
      await other.hearsText("hello");
      await other.publish(other.topics.publish.receipt, JSON.stringify({ conv, read: 1 }));
      await phone.hears("the receipt", ({ text }) => text.includes('"receipt"') && text.includes(bob.uid));
      await other.publish(other.topics.publish.typing, JSON.stringify({ conv, state: "composing" }));
      await phone.hears("typing", ({ text }) => text.includes('"typing"'));
      return "both came";
    },
  },
  {
    about: "native",
    holds: "contacts are told when a user's connection breaks",
    async run(world) {
      const { ann, bob, phone, other } = await pair(world);
      await world.ask(ann, rosterAdd, { id: bob.uid });
      await world.ask(bob, rosterAdd, { id: ann.uid });
      const isOf = (show: string) => (packet: { text: string }) =>
        packet.text.includes('"presence"') && packet.text.includes(bob.uid) && packet.text.includes(`"show":"${show}"`);
      await phone.hears("that bob is here", isOf("online"));
      await other.cut();
      await phone.hears("that bob is gone", isOf("offline"));
      return "online, then offline";
    },
  },
  {
    about: "native",
    holds: "a message of 60 KB arrives as it was sent",
    async run(world) {
      const { bob, phone, other } = await pair(world);
      const text = "0123456789".repeat(6_000);
      await phone.say(`user/${bob.uid}`, text);
      await other.hearsText(text);
      return "60,000 characters";
    },
  },
];
