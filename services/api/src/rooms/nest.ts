// Which rooms what is said in a room goes on to: of each of them it is asked here how the caller stands to it, the rest history decides.
import {
  AppError,
  type Caller,
  type NestedRoom,
  noRoom,
  type ParamsOf,
  type ResultOf,
  type RoomView,
  roomConv,
  type roomsNest,
  type roomsUnnest,
} from "@parley/protocol";
import { askerOf, type Call } from "../call.ts";
import { askHistory } from "./ask.ts";
import { spelledRoom } from "./named.ts";
import { findRoom, type RoomParts } from "./room.ts";

export async function nest(
  parts: RoomParts,
  { id, rooms, mode }: ParamsOf<typeof roomsNest>,
  call: Call,
): Promise<ResultOf<typeof roomsNest> | AppError> {
  const spelled = await manageableBy(parts, call.caller, rooms);
  if (spelled instanceof AppError) return spelled;
  const event = { event: "nest" as const, uids: [], rooms: spelled, ...(mode && { mode }) };
  const reply = await askHistory(parts, id, call, { event });
  return reply instanceof AppError ? reply : { seq: reply.seq, rooms: reply.rooms ?? [] };
}

export async function unnest(
  parts: RoomParts,
  { id, rooms }: ParamsOf<typeof roomsUnnest>,
  call: Call,
): Promise<ResultOf<typeof roomsUnnest> | AppError> {
  const spelled = await spell(parts, rooms);
  const views = await viewsOf(parts, call.caller, spelled);
  const manages = spelled.filter((_, at) => isManager(views[at]));
  const reply = await askHistory(parts, id, call, { event: { event: "unnest", uids: [], rooms: spelled }, manages });
  return reply instanceof AppError ? reply : { seq: reply.seq, rooms: reply.rooms ?? [] };
}

/** For a new room: the same as they are spelled, or the refusal. */
export async function nestedOf(
  parts: RoomParts,
  caller: Caller,
  { id, nested = [] }: { id?: string | undefined; nested?: NestedRoom[] | undefined },
): Promise<{ nested?: NestedRoom[] } | AppError> {
  if (nested.length === 0) return {};
  const spelled = await manageableBy(
    parts,
    caller,
    nested.map((one) => one.id),
  );
  if (spelled instanceof AppError) return spelled;
  if (new Set([...spelled, id]).size !== spelled.length + 1)
    return new AppError("invalid_packet", "nested: each room once, and not the room itself");
  return { nested: nested.map((one, at) => ({ ...one, id: spelled[at] as string })) };
}

/** The rooms as they are spelled; or the first refusal: who is no member is told that there is no such room. */
async function manageableBy(parts: RoomParts, caller: Caller, rooms: readonly string[]): Promise<string[] | AppError> {
  const spelled = await spell(parts, rooms);
  const [made, views] = await Promise.all([
    Promise.all(spelled.map((id) => findRoom(parts, id))),
    viewsOf(parts, caller, spelled),
  ]);
  for (const [at, id] of rooms.entries()) {
    const view = views[at];
    if (made[at] instanceof AppError || !view?.member || view.room?.deleted) return noRoom(id);
    if (!isManager(view))
      return new AppError("forbidden", `only owners and admins of ${id} may have messages go on to it`);
  }
  return spelled;
}

function isManager(view: RoomView | undefined): boolean {
  return view?.member !== undefined && view.member.role !== "member" && !view.room?.deleted;
}

function spell({ store }: RoomParts, rooms: readonly string[]): Promise<string[]> {
  return Promise.all(rooms.map(async (id) => (await spelledRoom(store, id)) ?? id));
}

/** As many as one request of history names. */
const viewsAtOnce = 20;

async function viewsOf({ history }: RoomParts, caller: Caller, ids: readonly string[]): Promise<RoomView[]> {
  const views: RoomView[] = [];
  for (let from = 0; from < ids.length; from += viewsAtOnce) {
    const { rooms } = await history.rooms({
      ...askerOf(caller),
      convs: ids.slice(from, from + viewsAtOnce).map(roomConv),
    });
    views.push(...rooms);
  }
  return views;
}
