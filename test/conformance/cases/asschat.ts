// ASSChat: what it needs of MQTT 5, user properties, Correlation Data and kept sessions, comes through the broker as it was sent.

import { must } from "@parley/cli/broker-check/case";
import { codeOf, type Device, type Packet } from "@parley/cli/broker-check/device";
import type { Connecting, Person } from "@parley/cli/broker-check/world";
import { callHttp } from "@parley/client";
import { login } from "@parley/protocol";
import type { Case } from "../case.ts";
import type { World } from "../world.ts";

/** A client; without more of MQTT 5 and with a session that is kept. */
async function client(world: World, { uid, password }: Person, options: Connecting = {}): Promise<Device> {
  const { token, clientId } = await callHttp(world.api, login, {
    username: uid,
    password,
    dialect: "asschat",
    clientid: `${uid}:pc`,
  });
  const device = await world.connect({ username: uid, password: token, clientId, keeps: true, ...options });
  await device.subscribe("ass/#");
  return device;
}

/** One of the second form. */
async function jsonClient(world: World, { uid, password }: Person): Promise<Device> {
  const asked = { username: uid, password, dialect: "asschat-json", clientid: `${uid}:json` };
  const { token, clientId } = await callHttp(world.api, login, asked);
  return world.connect({ username: uid, password: token, clientId, keeps: true });
}

/** All values of a user property. */
function valuesOf({ packet }: Packet, name: string): string[] {
  const found = packet.properties?.userProperties?.[name];
  return found === undefined ? [] : [found].flat();
}

function correlationOf({ packet }: Packet): string {
  return packet.properties?.correlationData?.toString() ?? "";
}

/** A channel of the first one's with all of them; its id. */
async function channelOf(device: Device, ...people: Person[]): Promise<string> {
  const chid = `$of-${people[0]?.uid}`;
  const command = { userProperties: { CHID: chid, EP: people.map(({ uid }) => uid) } };
  await device.publish("ass/cmd/create", "", { properties: { ...command, correlationData: Buffer.from("create") } });
  const ack = await device.hears(
    "the ack",
    (packet) => packet.topic === "ass/ack" && correlationOf(packet) === "create",
  );
  must(valuesOf(ack, "Result").join() === "0", `refused: ${ack.text}`);
  return chid;
}

const isNotification = (chid: string, type: string) => (packet: Packet) =>
  packet.topic === `ass/ntf/${chid}` && valuesOf(packet, "Type").includes(type);

export const asschat: Case[] = [
  {
    about: "asschat",
    only: 5,
    holds:
      "a command is answered on its Response Topic with its Correlation Data, and names of one property keep their order",
    async run(world) {
      const people = (await world.people(3)) as [Person, Person, Person];
      const one = await client(world, people[0]);
      const other = await client(world, people[1]);
      const chid = `$of-${people[0].uid}`;
      const properties = {
        userProperties: { CHID: chid, EP: people.map(({ uid }) => uid) },
        responseTopic: "ass/answers/7",
        correlationData: Buffer.from([0, 255, 7]),
      };
      await one.publish("ass/cmd/create", "", { properties });
      const ack = await one.hears("the ack", ({ topic }) => topic === "ass/answers/7");
      must(
        Buffer.from([0, 255, 7]).equals(ack.packet.properties?.correlationData ?? Buffer.of()),
        "other bytes came back",
      );
      const created = await other.hears("created", isNotification(chid, "created"));
      const named = valuesOf(created, "EP").join();
      must(named === people.map(({ uid }) => `user/${uid}`).join(), `endpoints ${named}`);
      return "its bytes, and three endpoints in order";
    },
  },
  {
    about: "asschat",
    only: 5,
    holds: "user properties that nobody knows come with the message as they were sent, a name twice too",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const [one, other] = [await client(world, ann), await client(world, bob)];
      const chid = await channelOf(one, ann, bob);
      await one.publish(`ass/msg/${chid}`, "hello", {
        properties: { userProperties: { Id: "m1", colour: ["red", "green"], Größe: "10 µm" } },
      });
      const heard = await other.hears("hello", ({ topic, text }) => topic === `ass/msg/${chid}` && text === "hello");
      must(valuesOf(heard, "colour").join() === "red,green", `colour ${valuesOf(heard, "colour")}`);
      must(valuesOf(heard, "Größe").join() === "10 µm", `Größe ${valuesOf(heard, "Größe")}`);
      must(valuesOf(heard, "From").join() === `user/${ann.uid}`, `From ${valuesOf(heard, "From")}`);
      return "all of them";
    },
  },
  {
    about: "asschat",
    only: 5,
    holds: "a notification that was not acknowledged comes again with the kept session, one that was does not",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const one = await client(world, ann);
      let other = await client(world, bob);
      const chid = await channelOf(one, ann, bob);
      const created = isNotification(chid, "created");
      await other.hears("created", created);
      await other.leave();
      other = await client(world, bob);
      const again = await other.hears("created again", created);
      const properties = { userProperties: { CHID: chid }, correlationData: Buffer.from(correlationOf(again)) };
      await other.publish("ass/ack", "", { properties });
      await one.publish(`ass/msg/${chid}`, "between");
      await other.hears("between", ({ text }) => text === "between");
      await other.leave();
      other = await client(world, bob);
      await one.publish(`ass/msg/${chid}`, "behind");
      await other.hears("behind", ({ text }) => text === "behind");
      must(!other.heard.some(created), "it came once more");
      return "again until its ack";
    },
  },
  {
    about: "asschat",
    only: 5,
    holds: "a client of MQTT 3.1.1 is told that its version is refused",
    async run(world) {
      const ann = await world.person();
      const refused = await client(world, ann, { protocolVersion: 4, properties: {} }).catch(
        (error: Error & { code?: number }) => error,
      );
      if (!(refused instanceof Error)) throw new Error("it was let in");
      return `CONNACK ${codeOf(Number(refused.code))}`;
    },
  },
  {
    about: "asschat",
    holds: "in the second form a client that subscribes nothing is answered, and hears its channel and not itself",
    async run(world) {
      const people = (await world.people(2)) as [Person, Person];
      const [one, other] = [await jsonClient(world, people[0]), await jsonClient(world, people[1])];
      const channel = `of-${people[0].uid}`;
      const users = people.map(({ uid }) => ({ user_id: uid, mode: 7 }));
      const request = { req_id: "create", ch_id: channel, users, want_reply: true };
      await one.publish("ass/s/ch_create", JSON.stringify(request));
      const answer = await one.hears("the answer", ({ text }) => text.includes('"req_id":"create"'));
      must(answer.topic === `ass/c/${people[0].uid}:json` && answer.text.includes('"rcode":201'), answer.text);
      await one.publish(`ch/${channel}`, JSON.stringify({ msg: "hello" }));
      const heard = await other.hears("hello", ({ text }) => text.includes('"msg":"hello"'));
      must(heard.topic === `ch/${channel}`, `it came on ${heard.topic}`);
      await other.publish(`ch/${channel}`, JSON.stringify({ msg: "end" }));
      await one.hears("end", ({ text }) => text.includes('"msg":"end"'));
      must(!one.heard.some(({ text }) => text.includes('"msg":"hello"')), "it came back");
      return "ass/c/… and ch/…";
    },
  },
];
