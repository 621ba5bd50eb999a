// What a room is called, looks like and allows; its invite links, its archive and its end.
import { isDeepStrictEqual } from "node:util";
import { AppError, limits, type RoomPatch, type RoomState } from "@parley/protocol";
import type { Member } from "../keep/store.ts";
import { archived } from "./decide-entry.ts";
import { mostMembers } from "./rights.ts";
import { allowed, type Decided, presentIn, type Room, stateOf } from "./room.ts";

const update = allowed("update", (room, request, by) => {
  const before = stateOf(room, request);
  if (before.archived) return archived();
  const { name = room.name } = request.patch ?? {};
  const after = patched(before, request.patch ?? {});
  if (name === room.name && isDeepStrictEqual(after, before)) return undefined;
  return refuseTooMany(room, before, after) ?? { event: "update", by: by.uid, uids: [], name, room: after };
});

// Who makes it a room in which all write has to have few enough in it.
function refuseTooMany(room: Room, before: RoomState, after: RoomState): AppError | undefined {
  const [most, members] = [mostMembers(after), presentIn(room)];
  if (most >= mostMembers(before) || members <= most) return undefined;
  return new AppError(
    "conflict",
    `a room in which every member writes has at most ${most} members, this one ${members}`,
  );
}

function patched(before: RoomState, { name: _, settings, ...texts }: RoomPatch): RoomState {
  const given = Object.entries(texts).filter(([, text]) => text !== undefined);
  const kept = Object.entries({ ...before, ...Object.fromEntries(given) }).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(kept), settings: { ...before.settings, ...settings } };
}

const archive = allowed("archive", (room, request, by) => {
  const before = stateOf(room, request);
  return before.archived ? undefined : stateEvent("archive", room, by, { ...before, archived: true });
});

const unarchive = allowed("archive", (room, request, by) => {
  const { archived: isArchived, ...after } = stateOf(room, request);
  return isArchived ? stateEvent("unarchive", room, by, after) : undefined;
});

const remove = allowed("delete", (room, _request, by) => {
  return stateEvent("delete", room, by, { settings: {}, deleted: true });
});

const link = allowed("link", (room, request, by, now) => {
  const before = stateOf(room, request);
  if (before.archived) return archived();
  const { link: made } = request;
  if (!made) return new AppError("invalid_packet", "the request names no link");
  const good = (before.links ?? []).filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
  if (good.length >= limits.roomLinks)
    return new AppError("conflict", `a room has at most ${limits.roomLinks} invite links; end one of them`);
  return stateEvent("link", room, by, { ...before, links: [...good, made] });
});

const unlink = allowed("link", (room, request, by) => {
  const before = stateOf(room, request);
  const links = (before.links ?? []).filter(({ id }) => id !== request.link?.id);
  return links.length === (before.links ?? []).length
    ? undefined
    : stateEvent("unlink", room, by, { ...before, links });
});

export const decideProfile = { update, archive, unarchive, delete: remove, link, unlink } as const;

function stateEvent(
  event: "archive" | "unarchive" | "delete" | "link" | "unlink",
  { name }: Room,
  { uid }: Member,
  state: RoomState,
): Decided {
  return { event, by: uid, uids: [], name, room: state };
}
