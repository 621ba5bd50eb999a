// Making a room: kept as `creating`, appended by history with its members as one entry, then `ready`.
import {
  AppError,
  type ChangeRequest,
  isForNow,
  type MemberDevices,
  type MemberModes,
  type ParamsOf,
  refuseDevices,
  roomConv,
  type roomsCreate,
  withoutDevice,
} from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { giveName, takeName } from "../accounts/names/names.ts";
import type { Call } from "../call.ts";
import { startFinishing } from "../finishing.ts";
import { asRegistered } from "../people/visible.ts";
import { randomName } from "../random-name.ts";
import type { RoomDoc } from "../store.ts";
import { isReservedTopic } from "./guest-topics.ts";
import { findGuests, firstBlocker, tellInvited } from "./guests.ts";
import { nestedOf } from "./nest.ts";
import { type Room, type RoomParts, readRoom } from "./room.ts";

const generatedIdLength = 12;
/** Members that one entry names: each of them gets it. */
const membersAtOnce = 1_000;

export async function createRoom(
  parts: RoomParts,
  params: ParamsOf<typeof roomsCreate>,
  call: Call,
): Promise<Room | AppError> {
  const { store } = parts;
  const { uid, clientId = withoutDevice } = call.caller;
  if (params.id !== undefined && isReservedTopic(params.id, parts.guestPrefixes))
    return new AppError("forbidden", `${params.id} is a topic of guests: it is a room once something is written in it`);
  const named = await asRegistered(store, uid, params.members ?? []);
  const members = [...new Set(named)].filter((member) => member !== uid);
  const modes = modesOf(params, named);
  if (modes instanceof AppError) return modes;
  const devices = devicesOf(params, named);
  if (devices instanceof AppError) return devices;
  const guests = await findGuests(store, uid, members);
  if (guests instanceof AppError) return guests;
  const nested = await nestedOf(parts, call.caller, params);
  if (nested instanceof AppError) return nested;
  // History decides it too, of each part of a large room by itself: what it refuses must be known before the first part.
  const blocker = await firstBlocker(store, uid, members);
  if (blocker !== undefined) return new AppError("blocked", `${blocker} does not take this invitation`);
  const doc: RoomDoc = {
    // Without an id of its own a room is named by the operation: worked again it is the same room.
    id: params.id ?? randomName(generatedIdLength, call.operation),
    name: params.name.normalize("NFC"),
    createdBy: uid,
    createdAt: Date.now(),
    ...textsOf(params),
    settings: params.settings ?? {},
    state: "creating",
    members,
    ...modes,
    ...devices,
    ...guests,
    ...nested,
    device: clientId,
    madeBy: call.operation,
  };
  const taken = new AppError("conflict", `the name ${doc.id} is taken`);
  if (!(await takeName(store, doc.id, "room"))) return taken;
  await store.rooms.insert(doc.id, doc);
  const kept = await store.rooms.get(doc.id);
  if (kept?.doc.madeBy !== call.operation) return taken;
  if (kept.doc.state !== "ready") {
    const made = await finishRoom(parts, kept);
    if (made instanceof AppError) return made;
    tellInvited(parts, kept.doc, uid, made);
  }
  return readRoom(parts, kept.doc, call.caller);
}

// As the members are registered; who is in both lists only reads.
function modesOf(
  { members = [], modes = {} }: ParamsOf<typeof roomsCreate>,
  named: readonly string[],
): { modes?: MemberModes } | AppError {
  const spelled = new Map(members.map((uid, at) => [uid, named[at] ?? uid]));
  const { read = [], write = [] } = modes;
  const stranger = [...read, ...write].find((uid) => !spelled.has(uid));
  if (stranger !== undefined) return new AppError("invalid_packet", `modes: ${stranger} is none of the members`);
  if (read.length + write.length === 0) return {};
  const nameOf = (uid: string) => spelled.get(uid) as string;
  return { modes: { read: read.map(nameOf), write: write.map(nameOf) } };
}

// As the members are registered.
function devicesOf(
  { members = [], devices = {} }: ParamsOf<typeof roomsCreate>,
  named: readonly string[],
): { devices?: MemberDevices } | AppError {
  const spelled = new Map(members.map((uid, at) => [uid, named[at] ?? uid]));
  const stranger = Object.keys(devices).find((uid) => !spelled.has(uid));
  if (stranger !== undefined) return new AppError("invalid_packet", `devices: ${stranger} is none of the members`);
  const kept = Object.fromEntries(Object.entries(devices).map(([uid, its]) => [spelled.get(uid) as string, its]));
  return refuseDevices(kept) ?? (Object.keys(kept).length === 0 ? {} : { devices: kept });
}

// Of many members the first come with the room and the others right behind it: nobody else can change it before it is ready.
function creationOf(room: RoomDoc): ChangeRequest[] {
  const { id, name, settings, createdBy: by, members, modes, devices, askFirst, guests, nested } = room;
  const common = { conv: roomConv(id), device: room.device, origin: "api", ...(askFirst ? { askFirst } : {}) };
  const state = { ...textsOf(room), settings, ...(guests ? { guests } : {}), ...(nested ? { nested } : {}) };
  const only = { ...(modes && { modes }), ...(devices && { devices }) };
  const create = {
    event: "create" as const,
    by,
    uids: members.slice(0, membersAtOnce),
    name,
    room: state,
    ...only,
  };
  const changes: ChangeRequest[] = [{ ...common, id: `create:${id}`, event: create }];
  for (let from = membersAtOnce; from < members.length; from += membersAtOnce) {
    const uids = members.slice(from, from + membersAtOnce);
    const event = { event: "invite" as const, by, uids, ...only };
    changes.push({ ...common, id: `create:${id}:${from}`, event, passOver: true });
  }
  return changes;
}

/**
 * Has history append the creation, then marks the room as ready. Throws `unavailable`: it stays `creating`. Several
 * replicas may do so at once: the room is changed only as it was read.
 */
export async function finishRoom(
  { store, history, pass }: Pick<RoomParts, "store" | "history" | "pass">,
  { doc: room, version }: Versioned<RoomDoc>,
): Promise<string[] | AppError> {
  const invited: string[] = [];
  try {
    for (const change of creationOf(room)) {
      const reply = await history.change(change);
      invited.push(...(reply.invited ?? []));
      pass("before-room-part");
    }
  } catch (error) {
    const refusal = AppError.from(error);
    if (isForNow(refusal) || refusal.code === "internal") throw error;
    if (await store.rooms.remove(room.id, version)) await giveName(store, room.id);
    return refusal;
  }
  await store.rooms.update(room.id, { ...room, state: "ready" }, version);
  return invited;
}

type Texts = Pick<RoomDoc, "nick" | "avatar" | "description" | "topic" | "group">;

// What was not given is not kept either.
function textsOf({
  nick,
  avatar,
  description,
  topic,
  group,
}: { [Name in keyof Texts]: Texts[Name] | undefined }): Texts {
  const given = Object.entries({ nick, avatar, description, topic, group }).filter(([, text]) => text !== undefined);
  return Object.fromEntries(given);
}

/** Finishes rooms whose creation was interrupted: those of an earlier process at once, our own when they are old. */
export function startFinishingRooms(
  parts: Pick<RoomParts, "store" | "history" | "pass">,
  log: Logger,
): { close(): Promise<void> } {
  return startFinishing({
    find: () => parts.store.rooms.find({ index: "state", equals: ["creating"], limit: 100 }),
    begunAt: ({ createdAt }) => createdAt,
    async finish(kept) {
      const made = await finishRoom(parts, kept);
      const refused = made instanceof AppError ? made.code : undefined;
      log.info({ event: "room_finished", room: kept.doc.id, refused });
    },
    trouble: "rooms_unfinished",
    log,
  });
}
