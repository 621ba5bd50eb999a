// What a device published on a topic is said in its room.

import { AppError } from "../../errors.ts";
import { roomOfTopic } from "../../guest-topics.ts";
import type { Tree } from "../../trees.ts";
import type { Parley, Published, Speaker } from "../dialect.ts";
import { createNicks } from "./nicks.ts";
import { readPayload, writePayload } from "./payload.ts";
import { isOfGuests, mayUse, topicForWords } from "./topics.ts";

export function createTake(tree: Tree, parley: Parley): Pick<Speaker, "take" | "refused"> {
  const nickOf = createNicks(tree, parley);
  // Nicks are looked up: whoever changes its nick is not overtaken by what it says next.
  let before: Promise<string | undefined> = Promise.resolve(undefined);

  async function say(packet: Published): Promise<AppError | undefined> {
    const spoken = readPayload(packet.payload);
    if (spoken === undefined) return undefined;
    if (!mayUse(packet.topic, tree)) return new AppError("forbidden", `${packet.topic.slice(0, 64)} is not your topic`);
    const roomId = roomOfTopic(packet.topic);
    if (roomId === undefined) return new AppError("invalid_packet", "the topic is too long");
    const nick = nickOf(spoken.from);
    const turn = before.then(() => nick);
    before = turn;
    const name = await turn;
    const prefixes = parley.guests.map(({ prefix }) => prefix);
    const opens = tree.owner === "guest" || isOfGuests(packet.topic, prefixes);
    const stored = await parley.send(
      {
        to: `room/${roomId}`,
        content: { type: "text", data: spoken.text },
        ...(name === undefined ? {} : { nick: name }),
        // A Last Will is of one who is gone, whatever it says.
        ...(spoken.isNotice || packet.will ? { notice: true } : {}),
      },
      { packet, ...(opens ? { opensRoom: true } : {}) },
    );
    return stored instanceof AppError ? stored : undefined;
  }

  // Where the device may hear it: it gets nothing on topics that it has no right to, not even that.
  async function refuse(topic: string, { message }: AppError): Promise<void> {
    const where = topicForWords(tree, parley.hears, topic);
    if (where === undefined) return;
    await parley.say({ topic: where, payload: writePayload({ isNotice: true, from: "parley", text: message }) });
  }

  return {
    async take(packet) {
      const refused = await say(packet);
      if (refused) await refuse(packet.topic, refused);
    },
    refused: ({ topic }, error) => refuse(topic, error),
  };
}
