// To which rooms an entry goes on, and from which one it came, as the log keeps it in its `event`: the room as of the entry decides.
import type { AppendItem, Onward, RoomState, Via } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { expiryOrigin, keptExpiry } from "../keep/timers.ts";

type Kept = Pick<LogEntry, "event">;

/** What the log keeps of an item's way; empty for most. */
export function wayEvent(
  { via, origin }: Pick<AppendItem, "via" | "origin">,
  room: RoomState | undefined,
): { onward?: string[]; via?: Via } {
  const came = via?.at(-1);
  // A copy has a time of its own.
  const nested = origin === expiryOrigin ? [] : (room?.nested ?? []);
  const passed = new Set(via?.map(({ id }) => id));
  const onward = nested.filter(({ id, mode }) => mode !== "write" && !passed.has(id)).map(({ id }) => id);
  return { ...(onward.length > 0 && { onward }), ...(came && { via: came }) };
}

/** Ids of the rooms that the entry goes on to. */
export function onwardRooms({ event }: Kept): readonly string[] {
  return (event?.onward as string[] | undefined) ?? none;
}

/** The place that a copy came from. */
export function cameFrom({ event }: Kept): Via | undefined {
  return event?.via as Via | undefined;
}

/** What makes copies of an entry; undefined: it goes nowhere. */
export function onwardOf(entry: LogEntry): Onward | undefined {
  const rooms = onwardRooms(entry);
  if (rooms.length === 0) return undefined;
  const { expiresAfterRead } = keptExpiry(entry);
  const options = entry.type === "vote" ? (entry.event?.options as number[] | undefined) : undefined;
  return { rooms: [...rooms], ...(expiresAfterRead && { expiresAfterRead }), ...(options && { options }) };
}

const none: readonly string[] = [];
