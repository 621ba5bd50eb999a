// A room and its members as records of chat.

import { roomsMembers } from "../../../methods/members.ts";
import type { ResultOf } from "../../../methods/method.ts";
import { roomsGet } from "../../../methods/rooms.ts";
import { namesOf } from "../device/contacts.ts";
import type { Device } from "../device/device.ts";
import { feedOf, memberId } from "../device/names.ts";
import type { ChatRoom, Member } from "../records/rooms.ts";

type Room = ResultOf<typeof roomsGet>;
type Row = Pick<ResultOf<typeof roomsMembers>["members"][number], "uid" | "role"> & {
  name?: string;
  nick?: string;
  avatar?: string;
};

/** So many are in one packet; `Room/get` has no pages. */
const membersMax = 200;

export function writeMember(conv: string, { uid, name = uid, nick = "", avatar = "", role }: Row): Member {
  const [names, surnames] = namesOf(name);
  return {
    tup: "Member",
    id: memberId(conv, uid),
    feed_id: feedOf(conv),
    phone_id: uid,
    avatar: avatar || undefined,
    names,
    surnames,
    alias: nick || undefined,
    status: role === "member" ? "member" : "admin",
  };
}

/** Owners and admins stand in a list of their own. */
export function writeRoom(found: Room, members: readonly Row[], status: string | undefined): ChatRoom {
  const { id, conv, name, description, avatar, settings, createdAt } = found;
  const written = (isAdmin: boolean) =>
    members.filter(({ role }) => (role !== "member") === isAdmin).map((row) => writeMember(conv, row));
  return {
    tup: "Room",
    id,
    name,
    description: description || undefined,
    members: written(false),
    admins: written(true),
    data:
      avatar === "" ? undefined : [{ tup: "Desc", id: `${id}_avatar`.slice(0, 128), mime: "image", payload: avatar }],
    type: settings.write === undefined || settings.write === "member" ? "group" : "channel",
    update: createdAt,
    created: createdAt,
    status,
  };
}

/** Whole, as the account may see it. */
export async function readRoom({ parley }: Device, id: string, as: string, status?: string): Promise<ChatRoom> {
  const found = await parley.call(roomsGet, { id }, { as });
  const members =
    found.role === undefined ? [] : (await parley.call(roomsMembers, { id, limit: membersMax }, { as })).members;
  return writeRoom(found, members, status);
}
