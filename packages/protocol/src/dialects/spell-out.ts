// A message's words for a device, with those of the message that it points at, which history is asked for.

import { historyGet } from "../methods/history.ts";
import type { Downlink, Parley } from "./dialect.ts";
import { whenKnown } from "./when-known.ts";
import { pointsAt, textOf, type Worded } from "./words.ts";

/** `textOf` with what the message points at; a promise only where the words need that. */
export function spellOut(message: Downlink, parley: Pick<Parley, "call" | "publicUrl">): string | Promise<string> {
  const worded = message as unknown as Worded;
  const seq = pointsAt(worded);
  const about = seq === undefined ? undefined : read(`${message.conv}`, seq, parley);
  return whenKnown(about, (known) => textOf(worded, { publicUrl: parley.publicUrl, about: known }));
}

// Without it the words name its place: that it cannot be read is no reason to say nothing.
async function read(conv: string, seq: number, parley: Pick<Parley, "call">): Promise<Worded | undefined> {
  try {
    const { messages } = await parley.call(historyGet, { conv, after: seq - 1, limit: 1 });
    const [message] = messages;
    return message?.seq === seq ? (message as unknown as Worded) : undefined;
  } catch {
    return undefined;
  }
}
