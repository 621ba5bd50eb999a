// Which rooms what is said in a room goes on to.
import { isDeepStrictEqual } from "node:util";
import { AppError, limits, type MembershipEvent, type NestedRoom, roomConv } from "@parley/protocol";
import { isMember } from "../fold/members.ts";
import { archived } from "./decide-entry.ts";
import { refuseAction } from "./rights.ts";
import { allowed, type Decide, notMember, type Room, stateOf } from "./room.ts";

const nest = allowed("nest", (room, request, { uid: by }) => {
  const before = stateOf(room, request);
  if (before.archived) return archived();
  const { rooms = [], mode } = request.event;
  const itself = rooms.find((id) => roomConv(id) === room.conv);
  if (itself !== undefined) return new AppError("invalid_packet", `what is said in ${itself} does not go on to itself`);
  const known = before.nested ?? [];
  const given = rooms.map((id) => asked(id, mode, known));
  const changed = given.filter((one) => !known.some((other) => isDeepStrictEqual(one, other)));
  if (changed.length === 0) return undefined;
  const nested = [...known.filter(({ id }) => !rooms.includes(id)), ...given];
  if (nested.length > limits.nestedRooms)
    return new AppError("conflict", `what is said in a room goes on to at most ${limits.nestedRooms} others`);
  const ids = changed.map(({ id }) => id);
  const event: MembershipEvent = {
    event: "nest",
    by,
    uids: [],
    rooms: ids,
    name: room.name,
    room: { ...before, nested },
  };
  return mode === undefined ? event : { ...event, mode };
});

// Of one that is nested already the mode stays where none is named.
function asked(id: string, mode: MembershipEvent["mode"], known: readonly NestedRoom[]): NestedRoom {
  const kept = mode ?? known.find((one) => one.id === id)?.mode ?? "read-write";
  return kept === "read-write" ? { id } : { id, mode: kept };
}

/** Also by who manages the others: what comes to them is theirs to end. */
const unnest: Decide = (room, request, { by }) => {
  const { event, manages } = request;
  const before = stateOf(room, request);
  const rooms = (before.nested ?? []).filter(({ id }) => event.rooms?.includes(id)).map(({ id }) => id);
  if (!managesAll(rooms, manages)) {
    const refused = isMember(by) ? refuseAction(room.room, by, "nest") : notMember();
    if (refused) return refused;
  }
  if (rooms.length === 0) return undefined;
  const { nested = [], ...rest } = before;
  const left = nested.filter(({ id }) => !rooms.includes(id));
  const state = left.length > 0 ? { ...rest, nested: left } : rest;
  return { event: "unnest", by: event.by, uids: [], rooms, name: room.name, room: state };
};

export const decideNest = { nest, unnest } as const;

/** Rooms that the asker manages, one of which is nested here: who has those knows of this one by what comes from it. */
export function managesNested({ room }: Room, manages: readonly string[] = []): boolean {
  return room?.nested?.some(({ id }) => manages.includes(id)) === true;
}

function managesAll(rooms: readonly string[], manages: readonly string[] = []): boolean {
  return rooms.length > 0 && rooms.every((id) => manages.includes(id));
}
