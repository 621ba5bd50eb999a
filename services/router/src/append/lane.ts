// One lane: what the devices of p say to the conversations of q, in their order.
import { AppError, type Appended, type AppendItem } from "@parley/protocol";

export interface Waiting {
  item: AppendItem;
  bytes: number;
  /** performance.now() */
  deadline: number;
  settle(outcome: Appended | AppError): void;
}

export interface Lane {
  q: number;
  /** sent and not answered */
  unanswered: Waiting[] | undefined;
  /** groups that go again, unchanged and first */
  again: Waiting[][];
  waiting: Waiting[];
  /** why history could not store the last group, where it said so */
  trouble: string | undefined;
}

/** What one request has left. */
export interface Room {
  messages: number;
  bytes: number;
}

export function openLane(q: number): Lane {
  return { q, unanswered: undefined, again: [], waiting: [], trouble: undefined };
}

export function isIdle({ again, waiting }: Lane): boolean {
  return again.length === 0 && waiting.length === 0;
}

/** Takes the next group of a lane that fits: one that goes again as a whole, else what waits. */
export function nextGroup(lane: Lane, room: Room): Waiting[] | undefined {
  const again = lane.again[0];
  if (again) return fits(again, room) ? lane.again.shift() : undefined;
  let count = 0;
  let bytes = 0;
  for (const waiting of lane.waiting) {
    bytes += waiting.bytes;
    if (count === room.messages || bytes > room.bytes) break;
    count += 1;
  }
  return count > 0 ? lane.waiting.splice(0, count) : undefined;
}

function fits(group: readonly Waiting[], room: Room): boolean {
  return group.length <= room.messages && group.reduce((sum, { bytes }) => sum + bytes, 0) <= room.bytes;
}

/** Refuses what has waited too long. Its outcome is unknown: it may have been sent and stored. */
export function expire(lane: Lane, now: number): void {
  const isDue = ({ deadline }: Waiting) => deadline <= now;
  const due = [...lane.again.flat(), ...lane.waiting].filter(isDue);
  if (due.length === 0) return;
  const isLeft = (one: Waiting) => !isDue(one);
  lane.again = lane.again.map((group) => group.filter(isLeft)).filter((group) => group.length > 0);
  lane.waiting = lane.waiting.filter(isLeft);
  const why = lane.trouble === undefined ? "" : ` (${lane.trouble})`;
  for (const { settle } of due) settle(new AppError("unavailable", `not stored in time${why}; send it again`));
}
