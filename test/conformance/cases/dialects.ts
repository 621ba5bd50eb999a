// A few flows of each of the other protocols that have to do with the broker.

import { must } from "@parley/cli/broker-check/case";
import type { Person } from "@parley/cli/broker-check/world";
import { rosterAdd } from "@parley/protocol";
import { chatRecord, recordOf } from "../../programs/chat.ts";
import type { Case } from "../case.ts";
import { programs, type World } from "../world.ts";

const { mqttChat, slimchat, chat } = programs;

async function friends(world: World): Promise<[Person, Person]> {
  const [ann, bob] = (await world.people(2)) as [Person, Person];
  await world.ask(ann, rosterAdd, { id: bob.uid });
  await world.ask(bob, rosterAdd, { id: ann.uid });
  return [ann, bob];
}

const slim: Case[] = [
  {
    about: "slimchat",
    holds: "a message comes on the receiver's topic, its ack on the sender's client topic",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const [one, other] = [await world.speaks(slimchat, ann), await world.speaks(slimchat, bob)];
      const id = one.say({ user: bob.uid }, "hello");
      const { seq } = await one.acked(id);
      const heard = await other.hearsText("hello");
      const [{ topic } = { topic: "" }] = other.heard.filter(({ text }) => text.includes("hello"));
      must(topic === `$IM/user/${bob.uid}` && heard.seq === seq && heard.from === ann.uid, `it came on ${topic}`);
      return `$IM/user/…, seq ${seq} for both`;
    },
  },
  {
    about: "slimchat",
    holds: "a room's message reaches its members, and not the device that sent it",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const room = await world.room(ann, bob);
      const [one, desk, other] = await Promise.all([
        world.speaks(slimchat, ann),
        world.speaks(slimchat, ann, { device: "desk" }),
        world.speaks(slimchat, bob),
      ]);
      await one.acked(one.say({ room }, "hello all"));
      await Promise.all([desk.hearsText("hello all"), other.hearsText("hello all")]);
      await other.acked(other.say({ room }, "end"));
      await one.hearsText("end");
      must(!one.told().some((told) => told.kind === "message" && told.text === "hello all"), "it came back");
      return "members and the other device";
    },
  },
  {
    about: "slimchat",
    holds: "contacts are told who comes, and who is cut off",
    async run(world) {
      const [ann, bob] = await friends(world);
      const one = await world.speaks(slimchat, ann);
      const other = await world.speaks(slimchat, bob);
      const isOf = (type: string) => (packet: { text: string }) =>
        packet.text.includes(`"from":"${bob.uid}"`) && packet.text.includes(`"type":"${type}"`);
      await one.hears("that bob is here", isOf("online"));
      await other.cut();
      await one.hears("that bob is gone", isOf("offline"));
      return "online, then offline";
    },
  },
];

const mqttChatCases: Case[] = [
  {
    about: "mqtt-chat",
    holds: "a message comes in the spelling that the receiver subscribed, and its delivery receipt goes back",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const one = await world.speaks(mqttChat, ann);
      const other = await world.connect({ username: bob.uid, password: bob.password, clientId: bob.uid });
      await other.subscribe(`${bob.uid}/others/+`);
      const packet = { m: "hello", i: "m-1", s: ann.uid, c: "TEXT", d: true };
      await one.publish(`${bob.uid}/o/m`, JSON.stringify(packet));
      const { topic } = await other.hears("hello", ({ text }) => text.includes("hello"));
      must(topic === `${bob.uid}/others/messages`, `it came on ${topic}`);
      await other.publish(`${ann.uid}/others/receipts`, "m-1");
      await one.hears("the receipt", (told) => told.topic === `${ann.uid}/o/d` && told.text === "m-1");
      return "long topic down, short topic back";
    },
  },
  {
    about: "mqtt-chat",
    holds: "a member list that a client publishes makes the group, and its messages come back to it too",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const group = `g${ann.uid}`;
      const [one, other] = [await world.speaks(mqttChat, ann), await world.speaks(mqttChat, bob)];
      await one.subscribe(`${group}/g/+`);
      await one.publish(`${group}/g/e`, JSON.stringify({ m: [ann.uid, bob.uid] }), { retain: true });
      await one.hears("the list", ({ topic, text }) => topic === `${group}/g/e` && text.includes(bob.uid));
      await other.subscribe(`${group}/g/+`);
      await other.hears("the list", ({ topic, text }) => topic === `${group}/g/e` && text.includes(ann.uid));
      one.say({ room: group }, "hello group");
      await Promise.all([one.hearsText("hello group"), other.hearsText("hello group")]);
      return "made, listed, heard by both";
    },
  },
  {
    about: "mqtt-chat",
    holds: "friends are told L of who comes and F of who is cut off, whatever its Will says",
    async run(world) {
      const [ann, bob] = await friends(world);
      const one = await world.speaks(mqttChat, ann);
      await one.subscribe(`${bob.uid}/s/+`);
      const will = { topic: `${bob.uid}/s/l`, payload: Buffer.from("Offline"), qos: 0 as const, retain: true };
      const other = await world.speaks(mqttChat, bob, { will });
      const isOf = (word: string) => (packet: { topic: string; text: string }) =>
        packet.topic === `${bob.uid}/s/l` && packet.text === word;
      await one.hears("L", isOf("L"));
      one.heard.length = 0;
      await other.cut();
      await one.hears("F", isOf("F"));
      return "L, then F";
    },
  },
];

const chatCases: Case[] = [
  {
    about: "chat",
    holds: "who connects is greeted with its Profile, without a SUBSCRIBE",
    async run(world) {
      const one = await world.speaks(chat, await world.person());
      await one.hears("the Profile", ({ payload }) => recordOf(payload)[0] === "Profile");
      return "Profile";
    },
  },
  {
    about: "chat",
    holds: "a Message comes to both sides on the feed's topic, with one number",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const [one, other] = [await world.speaks(chat, ann), await world.speaks(chat, bob)];
      const id = one.say({ user: bob.uid }, "hello");
      const [{ seq }, heard, echo] = await Promise.all([
        one.acked(id),
        other.hearsText("hello"),
        one.hearsText("hello"),
      ]);
      must(heard.seq === seq && echo.seq === seq, `its places are ${seq}, ${echo.seq}, ${heard.seq}`);
      return "both, the same number";
    },
  },
  {
    about: "chat",
    holds: "a call at QoS 2 is answered once, on the device's own topic",
    async run(world) {
      const one = await world.speaks(chat, await world.person());
      const { topic, payload } = chatRecord("Auth", ...Array.from({ length: 12 }, () => []));
      await one.publish(topic, payload, { qos: 2 });
      const told = await one.hears("the answer", (packet) => recordOf(packet.payload)[0] === "io");
      return told.topic.startsWith("actions/1/") ? "io on actions/1/…" : told.topic;
    },
  },
];

export const dialects: Case[] = [
  ...slim,
  ...mqttChatCases,
  ...chatCases,
  {
    about: "all together",
    holds: "in one room of a native user and three other protocols each hears each, once",
    async run(world) {
      const [ann, bob, cleo, dan] = (await world.people(4)) as [Person, Person, Person, Person];
      const room = await world.room(ann, bob, cleo, dan);
      const phone = await world.native(ann);
      const others = await Promise.all([
        world.speaks(slimchat, bob, { rooms: [room] }),
        world.speaks(mqttChat, cleo, { rooms: [room] }),
        world.speaks(chat, dan, { rooms: [room] }),
      ]);
      await phone.say(`room/${room}`, "from native");
      for (const other of others) other.say({ room }, `from ${other.person.uid}`);
      for (const other of others) {
        await phone.hearsText(`from ${other.person.uid}`);
        await other.hearsText("from native");
        for (const one of others) if (one !== other) await other.hearsText(`from ${one.person.uid}`);
        const texts = other.told().flatMap((one) => (one.kind === "message" ? [one.text] : []));
        must(texts.filter((text) => text === "from native").length === 1, `${other.clientId} heard it twice`);
      }
      return "12 ways, each once";
    },
  },
];
