// May a copy from another room be stored in this one? Who wrote it there need not be a member here; what was allowed there is here.
import { type AppendItem, type AppendOutcome, limits, nestedOrigin, parseConv, type Via } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { refuseCopy, refuseSpeed } from "../rooms/rights.ts";
import type { Conversation } from "./conversation.ts";
import { refusal } from "./outcome.ts";

/** What came to the room before, and the time. */
interface Taken {
  takenFrom: ReadonlyMap<string, number> | undefined;
  sentLately: readonly number[] | undefined;
  now: number;
}

export function refuseCopied(
  { via = [], type, from }: AppendItem,
  { conv, members, room, lastSeq }: Conversation,
  { takenFrom, sentLately = [], now }: Taken,
): AppendOutcome | undefined {
  const came = via.at(-1);
  if (!came || via.length > limits.nestedDepth || parseConv(conv)?.kind !== "room") return refusal("invalid_packet");
  if (lastSeq === 0 || room?.deleted) return refusal("not_found", undefined, { reason: "room" });
  if (!room) return refusal("not_found");
  // What was refused before does not come in behind what was said after it.
  if (came.seq < (takenFrom?.get(came.id) ?? 0)) return refusal("out_of_order");
  const error =
    refuseCopy(room, members.get(from), { type, from: came.id, now }) ?? refuseSpeed(room, { type, now, sentLately });
  return error && refusal(error.code, error.message, error.details);
}

/** True if the entry is a copy that came by the room in which `via` begins. */
export function isCopyOfThere({ body, origin }: LogEntry, via: readonly Via[]): boolean {
  if (origin !== nestedOrigin) return false;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  const { via: came = [] } = (text === "" ? {} : JSON.parse(text)) as { via?: readonly Via[] };
  return came.some(({ id }) => id === via[0]?.id);
}
