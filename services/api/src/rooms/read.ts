// Reading rooms: what a room is, who is in it, which ones a user is in or invited to.
import {
  AppError,
  type Caller,
  isJoinable,
  noRoom,
  type ParamsOf,
  parseConv,
  type ResultOf,
  type RoomView,
  roomConv,
  type roomsInvitations,
  type roomsLinks,
  type roomsList,
  type roomsMembers,
} from "@parley/protocol";
import { fittingCount, pageRoomOf } from "@parley/runtime";
import { askerOf } from "../call.ts";
import { namesFor, type ShownName } from "../people/contacts.ts";
import type { RoomDoc } from "../store.ts";
import { blockedOf } from "./guests.ts";
import { type Room, type RoomParts, roomOf, viewRoom } from "./room.ts";

const defaultRooms = 500;
const defaultMembers = 1_000;

export async function getRoom(parts: RoomParts, id: string, caller: Caller): Promise<Room | AppError> {
  const found = await lookAt(parts, id, caller);
  if (found instanceof AppError) return found;
  const room = roomOf(found.made, found.view);
  const { standing, member } = found.view;
  const isShown = member || standing === "invited" || (standing !== "banned" && isJoinable(room));
  return isShown ? room : notMember();
}

export async function listRooms(
  { store, history }: RoomParts,
  { limit = defaultRooms, page }: ParamsOf<typeof roomsList>,
  caller: Caller,
): Promise<ResultOf<typeof roomsList>> {
  const listed = await history.rooms({ ...askerOf(caller), which: "member", limit, ...afterOf(page) });
  const made = await store.rooms.getMany(listed.rooms.map(idOf));
  const rows = listed.rooms.map((view) => {
    const doc = made.get(idOf(view))?.doc;
    return { conv: view.conv, row: doc && roomOf(doc, view) };
  });
  const { shown, next } = cutRows(rows, listed.next, caller);
  return { rooms: shown, next };
}

function afterOf(page: string | undefined): { after?: string } {
  return page === undefined ? {} : { after: roomConv(page) };
}

// As many rows as fit into what the caller takes, and the page token behind them.
function cutRows<Row>(
  rows: readonly { conv: string; row: Row | undefined }[],
  next: string | undefined,
  caller: Caller,
): { shown: Row[]; next: string | null } {
  const texts = rows.map(({ row }) => (row === undefined ? "" : JSON.stringify(row)));
  const some = rows.slice(0, fittingCount(texts, pageRoomOf(caller)));
  const last = some.length < rows.length ? some.at(-1)?.conv : next;
  return {
    shown: some.flatMap(({ row }) => (row === undefined ? [] : [row])),
    next: last === undefined ? null : idOf({ conv: last }),
  };
}

export async function roomMembers(
  parts: RoomParts,
  { id, standing, limit = defaultMembers, page }: ParamsOf<typeof roomsMembers>,
  caller: Caller,
): Promise<ResultOf<typeof roomsMembers> | AppError> {
  const found = await lookAt(parts, id, caller);
  if (found instanceof AppError) return found;
  const refused = standing ? refuseAdminsOnly(found.view) : found.view.member ? undefined : notMember();
  if (refused) return refused;
  const asked = { conv: roomConv(id), ...(standing && { standing }), ...(page !== undefined && { after: page }) };
  const { members, next } = await parts.history.members(asked);
  const some = members.slice(0, limit);
  const names = await namesFor(
    parts.store,
    caller.uid,
    some.map(({ uid }) => uid),
  );
  const rows = some.map(({ uid, role, stays, mutedUntil, mode, devices }, index) => ({
    uid,
    ...(names[index] as ShownName),
    role,
    joinSeq: stays.at(-1)?.[0] ?? 0,
    ...(mutedUntil === undefined ? {} : { mutedUntil }),
    ...(mode && { mode }),
    ...(devices && { devices }),
  }));
  const texts = rows.map((row) => JSON.stringify(row));
  const shown = rows.slice(0, fittingCount(texts, pageRoomOf(caller)));
  const isMore = shown.length < members.length || next !== undefined;
  return { members: shown, next: isMore ? (shown.at(-1)?.uid ?? null) : null };
}

/** Without those of users whom the caller has blocked since. */
export async function listInvitations(
  { store, history }: RoomParts,
  { limit = defaultRooms, page }: ParamsOf<typeof roomsInvitations>,
  caller: Caller,
): Promise<ResultOf<typeof roomsInvitations>> {
  const listed = await history.rooms({ ...askerOf(caller), which: "pending", limit, ...afterOf(page) });
  const hosts = new Set(listed.rooms.flatMap(({ by }) => by ?? []));
  const blocked = await blockedOf(store, caller.uid, [...hosts]);
  const rows = listed.rooms.map((view) => {
    const { conv, name, standing, by } = view;
    const isShown = standing && by && !view.room?.deleted && !blocked.has(by);
    return { conv, row: isShown ? { id: idOf(view), conv, name, by, standing } : undefined };
  });
  const { shown, next } = cutRows(rows, listed.next, caller);
  return { invitations: shown, next };
}

export async function listLinks(
  parts: RoomParts,
  id: string,
  caller: Caller,
): Promise<ResultOf<typeof roomsLinks> | AppError> {
  const found = await lookAt(parts, id, caller);
  if (found instanceof AppError) return found;
  const refused = refuseAdminsOnly(found.view);
  if (refused) return refused;
  const links = (found.view.room?.links ?? []).filter(
    ({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt > Date.now(),
  );
  return { links: links.map(({ hash: _, ...link }) => link) };
}

async function lookAt(
  parts: RoomParts,
  id: string,
  caller: Caller,
): Promise<{ made: RoomDoc; view: RoomView } | AppError> {
  // Members are told of it by the log, before it is ready to be changed.
  const made = (await parts.store.rooms.get(id))?.doc;
  if (made === undefined) return noRoom(id);
  const view = await viewRoom(parts, id, caller);
  if (view instanceof AppError) return view;
  // Of versions before history tells less: who had to do with the room and is no member is told that there is none.
  const isShown = view.member || view.standing || view.isKnown || isJoinable(roomOf(made, view));
  return isShown ? { made, view } : noRoom(id);
}

function idOf({ conv }: Pick<RoomView, "conv">): string {
  const parsed = parseConv(conv);
  return parsed?.kind === "room" ? parsed.roomId : "";
}

function refuseAdminsOnly({ member }: RoomView): AppError | undefined {
  if (!member) return notMember();
  return member.role === "member" ? new AppError("forbidden", "only owners and admins may see this") : undefined;
}

function notMember(): AppError {
  return new AppError("not_member", "only members of the room may see this");
}
