// Connections and sessions of devices with trees: who is let in, what waits for a device, who takes over.
import { must, mustNotHear } from "@parley/cli/broker-check/case";
import { codeOf } from "@parley/cli/broker-check/device";
import { refusal } from "@parley/cli/broker-check/doors";
import type { Person } from "@parley/cli/broker-check/world";
import type { Case } from "../case.ts";
import { programs } from "../world.ts";

const { mqttChat, slimchat, chat } = programs;

export const sessions: Case[] = [
  {
    about: "own tree",
    holds: "a client id is its first user's: nobody else gets in with it",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const { clientId } = await world.speaks(slimchat, ann, { keeps: true });
      const word = await refusal(world, { username: bob.uid, password: bob.password, clientId });
      return `CONNACK ${word}`;
    },
  },
  {
    about: "own tree",
    holds: "a wrong password, a reserved client id and a made-up token let nobody in",
    async run(world) {
      const { uid: username, password } = await world.person();
      const wrong = await refusal(world, { username, password: "not the password", clientId: `x-${username}` });
      const reserved = await refusal(world, { username, password, clientId: "router-p0" });
      const made = await refusal(world, { username, password: "a.b.c", clientId: `y-${username}` });
      return `CONNACK ${[...new Set([wrong, reserved, made])].join(", ")}`;
    },
  },
  {
    about: "own tree",
    holds: "client ids that look like levels, wildcards and escapes have a tree each",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const names = ["web", "+2", "#3", "%2Fweb", "$share", "é"];
      const devices = await Promise.all(
        names.map((device) =>
          world.speaks(mqttChat, ann, { device, clientId: `${ann.uid}/${device}`, password: ann.password }),
        ),
      );
      const other = await world.native(bob);
      for (const [at, device] of devices.entries()) device.say({ user: bob.uid }, `from ${at}`);
      for (const at of names.keys()) await other.hearsText(`from ${at}`);
      await other.say(`user/${ann.uid}`, "to all");
      await Promise.all(devices.map((device) => device.hearsText("to all")));
      for (const { heard } of devices)
        must(heard.filter(({ text }) => text.includes("to all")).length === 1, "it came twice to one of them");
      return `${names.length} devices, each heard once`;
    },
  },
  ...[slimchat, mqttChat, chat].map(
    (program): Case => ({
      about: "own tree",
      holds: `a persistent session of ${program.name} has what came while its device was away, once and in order`,
      async run(world) {
        const [ann, bob] = (await world.people(2)) as [Person, Person];
        const [first, other] = [await world.speaks(program, ann, { keeps: true }), await world.native(bob)];
        await other.say(`user/${ann.uid}`, "before");
        await first.hearsText("before");
        await first.leave();
        const count = 12;
        for (let at = 0; at < count; at++) await other.say(`user/${ann.uid}`, `away ${at}`);
        const back = await world.speaks(program, ann, { keeps: true });
        await back.hearsText(`away ${count - 1}`);
        await other.say(`user/${ann.uid}`, "now");
        await back.hearsText("now");
        const texts = back
          .told()
          .flatMap((one) => (one.kind === "message" && one.text !== undefined ? [one.text] : []));
        const expected = [...Array.from({ length: count }, (_, at) => `away ${at}`), "now"];
        must(texts.join() === expected.join(), `it heard ${texts.join(", ")}`);
        return `${count} of ${count}, once, in order`;
      },
    }),
  ),
  {
    about: "own tree",
    holds: "a session without persistence begins with nothing of before",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const other = await world.native(bob);
      await (await world.speaks(chat, ann)).leave();
      await other.say(`user/${ann.uid}`, "missed-mark");
      const back = await world.speaks(chat, ann);
      await other.say(`user/${ann.uid}`, "now");
      await back.hearsText("now");
      mustNotHear("missed-mark", { ...back, heard: back.heard.filter(({ topic }) => topic.startsWith("p2p/")) });
      return "only what came since";
    },
  },
  {
    about: "own tree",
    holds: "who connects with the same client id takes the session over",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const other = await world.native(bob);
      const first = await world.speaks(slimchat, ann, { keeps: true });
      const second = await world.speaks(slimchat, ann, { keeps: true });
      const code = await first.closed();
      await other.say(`user/${ann.uid}`, "to the second");
      await second.hearsText("to the second");
      mustNotHear("to the second", first);
      must(world.version === 4 || code === undefined || code === 0x8e, `it was ended by ${codeOf(code)}`);
      return "the first was closed, the second hears";
    },
  },
];
