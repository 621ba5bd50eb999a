// The chatroom: guests without accounts, whose topics are rooms.
import { randomUUID } from "node:crypto";
import { must, mustNotHear } from "@parley/cli/broker-check/case";
import type { Connecting } from "@parley/cli/broker-check/world";
import type { Case } from "../case.ts";
import type { World } from "../world.ts";

/** A topic of the guest's that nobody used before, and how it connects. */
function guestOf({ guest }: World): { topic: string; login: Connecting } {
  if (!guest) throw new Error("there is no guest");
  const { name: username, password, prefix } = guest;
  const own = `${prefix}${prefix === "" || prefix.endsWith("/") ? "" : "/"}${randomUUID().slice(0, 8)}`;
  return { topic: own, login: { username, password } };
}

const said = (text: string) => JSON.stringify({ type: "message", from: "ann", message: text });

export const chatroom: Case[] = [
  {
    about: "chatroom",
    needsGuest: true,
    holds: "a guest hears its topic, itself included, and nothing of before",
    async run(world) {
      const { topic, login } = guestOf(world);
      const [one, other] = [await world.connect(login), await world.connect(login)];
      await one.subscribe(topic);
      await one.publish(topic, said("before anybody"));
      await one.hears("its own", ({ text }) => text.includes("before anybody"));
      await other.subscribe(topic);
      await one.publish(topic, said("hello"));
      await Promise.all([one, other].map((device) => device.hears("hello", ({ text }) => text.includes("hello"))));
      mustNotHear("before anybody", other);
      return "both heard, nothing of before";
    },
  },
  {
    about: "chatroom",
    needsGuest: true,
    holds: "a plain-text Last Will becomes a notice",
    async run(world) {
      const { topic, login } = guestOf(world);
      const one = await world.connect(login);
      await one.subscribe(topic);
      const will = { topic, payload: Buffer.from("User eve timed out."), qos: 0 as const, retain: false };
      await (await world.connect({ ...login, will })).cut();
      const { text } = await one.hears("the notice", (packet) => packet.text.includes("timed out"));
      must((JSON.parse(text) as { type?: string }).type === "notice", `it came as ${text}`);
      return "a notice";
    },
  },
  {
    about: "chatroom",
    needsGuest: true,
    holds: "a guest reads no topic but its own, by no filter",
    async run(world) {
      const { topic, login } = guestOf(world);
      const [spy, writer] = [await world.connect(login), await world.connect(login)];
      for (const filter of ["#", "+/#", "im/#", "$share/g/#", "$SYS/#"]) await spy.subscribe(filter);
      const [ann, bob] = await world.people(2);
      if (!ann || !bob) throw new Error("nobody is there");
      const [phone, other] = [await world.native(ann), await world.native(bob)];
      await phone.say(`user/${bob.uid}`, "secret-mark");
      await other.hearsText("secret-mark");
      await writer.publish(topic, said("end"));
      await spy.hears("the end", ({ text }) => text.includes("end"));
      mustNotHear("secret-mark", spy);
      return "heard its own alone";
    },
  },
];
