// Room/…, Member/…: rooms and who is in them.
import { AppError } from "../../../errors.ts";
import {
  roomsBan,
  roomsInvite,
  roomsJoin,
  roomsLeave,
  roomsMembers,
  roomsRemove,
  roomsSetRole,
  roomsUnban,
} from "../../../methods/members.ts";
import { conversationsUpdate } from "../../../methods/own.ts";
import { roomsCreate, roomsDelete, roomsUpdate } from "../../../methods/rooms.ts";
import { profileUpdate } from "../../../methods/users.ts";
import type { OwnWords } from "../device/answers.ts";
import { nameOf } from "../device/contacts.ts";
import { accountOf, type Call, type Device, entryOf } from "../device/device.ts";
import { convOfFeed, feedTopic } from "../device/names.ts";
import { type ChatRoom, type Member, member as memberKind, room as roomKind } from "../records/rooms.ts";
import { readRoom, writeMember } from "../written/rooms.ts";

interface Asked {
  record: ChatRoom;
  id: string;
  /** the account that asks */
  as: string;
}

/** Everything that changes a room is told to its members, the device among them, by what happened in it. */
const acts: Readonly<Record<string, (device: Device, asked: Asked) => Promise<unknown>>> = {
  create,
  async get(device, { id, as }) {
    await device.answer(roomKind.write(await readRoom(device, id, as, "get"), device.set));
  },
  patch,
  add,
  join: (device, asked) => (named(asked.record).length === 0 ? join(device, asked) : add(device, asked)),
  remove: (device, { id, record, as }) => device.parley.call(roomsRemove, { id, uids: needed(record) }, { as }),
  leave: ({ parley }, { id, as }) => parley.call(roomsLeave, { id }, { as }),
  ban: (device, { id, record, as }) => device.parley.call(roomsBan, { id, uids: needed(record) }, { as }),
  async unban({ parley }, { id, record, as }) {
    for (const uid of needed(record)) await parley.call(roomsUnban, { id, uid }, { as });
  },
  mute: (device, asked) => mute(device, asked, Number.MAX_SAFE_INTEGER),
  unmute: (device, asked) => mute(device, asked, 0),
  delete: ({ parley }, { id, as }) => parley.call(roomsDelete, { id }, { as }),
};

const words: OwnWords = { conflict: "room_exists", not_found: "room_not_found" };

export async function takeRoom({ device }: Call, record: ChatRoom): Promise<void> {
  const { status = "get", id = "" } = record;
  const act = entryOf(acts, status);
  // Of the accounts the one that the record names as member or admin, else the first.
  const own = named(record).find((uid) => device.tree.accounts.includes(uid));
  const as = own ?? device.tree.uid;
  if (!act || (id === "" && status !== "create")) return device.refuse(new AppError("invalid_packet"));
  try {
    await act(device, { record, id, as });
  } catch (error) {
    await device.refuse(AppError.from(error), words);
  }
}

function named({ members = [], admins = [] }: ChatRoom): string[] {
  return [...new Set([...members, ...admins].flatMap(({ phone_id }) => phone_id ?? []))];
}

function needed(record: ChatRoom): string[] {
  const uids = named(record);
  if (uids.length === 0) throw new AppError("invalid_packet", "members name nobody");
  return uids;
}

/** The older programs are answered on their own topic, the later ones on the phone's. */
async function create(device: Device, { record, id, as }: Asked): Promise<void> {
  const { name, description, data, type } = record;
  const members = named(record).filter((uid) => uid !== as);
  const avatar = avatarOf(record);
  const made = await device.parley.call(
    roomsCreate,
    {
      ...(id === "" ? {} : { id }),
      name: name ?? (id || "room"),
      ...(description === undefined ? {} : { description }),
      ...(data === undefined || avatar === undefined ? {} : { avatar }),
      members,
      ...(type === "channel" ? { settings: { write: "admin" as const } } : {}),
    },
    { as },
  );
  await makeAdmins(device, { record, id: made.id, as });
  const whole = roomKind.write(await readRoom(device, made.id, as, "create"), device.set);
  await (device.set === "late" ? device.say(device.ses, whole) : device.answer(whole));
}

function avatarOf({ data = [] }: ChatRoom): string | undefined {
  return data.find(({ mime = "" }) => mime.startsWith("image"))?.payload;
}

async function makeAdmins({ parley }: Device, { record, id, as }: Asked): Promise<void> {
  const admins = (record.admins ?? []).flatMap(({ phone_id }) => phone_id ?? []).filter((uid) => uid !== as);
  for (const uid of admins) await parley.call(roomsSetRole, { id, uid, role: "admin" }, { as });
}

async function patch({ parley }: Device, { record, id, as }: Asked): Promise<void> {
  const { name, description } = record;
  const avatar = avatarOf(record);
  const changes = {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(avatar === undefined ? {} : { avatar }),
  };
  if (Object.keys(changes).length > 0) await parley.call(roomsUpdate, { id, ...changes }, { as });
}

async function add(device: Device, asked: Asked): Promise<void> {
  const { id, record, as } = asked;
  const uids = needed(record).filter((uid) => uid !== as);
  if (uids.length > 0) await device.parley.call(roomsInvite, { id, uids }, { as });
  await makeAdmins(device, asked);
}

async function join({ parley }: Device, { id, as }: Asked): Promise<void> {
  await parley.call(roomsJoin, { id }, { as });
}

/** Of the room's messages the account wants no notice, or does again. */
async function mute(device: Device, { id, as }: Asked, until: number): Promise<void> {
  await device.parley.call(conversationsUpdate, { conv: `room/${id}`, mutedUntil: until }, { as });
  const status = until === 0 ? "unmute" : "mute";
  await device.say(device.ses, roomKind.write({ tup: "Room", id, status }, device.set));
}

/** A member's name in a room is its account's: Parley has one for all rooms. */
export async function takeMember({ device }: Call, record: Member): Promise<void> {
  const { feed_id, phone_id, names, surnames, alias, avatar, status } = record;
  const account = accountOf(device, phone_id);
  if (status !== "patch" || !account) return device.refuse(new AppError("invalid_packet"));
  const changes = {
    ...(names === undefined && surnames === undefined ? {} : { name: nameOf(names, surnames) }),
    ...(alias === undefined ? {} : { nick: alias }),
    ...(avatar === undefined ? {} : { avatar }),
  };
  try {
    const own = await device.parley.call(profileUpdate, changes, { as: account.uid });
    const conv = convOfFeed(feed_id);
    const row = conv === undefined ? undefined : await rowOf(device, conv, account.uid);
    const changed = { ...writeMember(conv ?? "", { ...own, role: row?.role ?? "member" }), feed_id, status };
    const topic = feed_id === undefined ? device.ses : feedTopic(feed_id);
    await device.say(topic, memberKind.write(changed, device.set));
  } catch (error) {
    await device.refuse(AppError.from(error), words);
  }
}

async function rowOf({ parley }: Device, conv: string, as: string) {
  const id = conv.slice(conv.indexOf("/") + 1);
  const { members } = await parley.call(roomsMembers, { id, limit: 1_000 }, { as });
  return members.find(({ uid }) => uid === as);
}
