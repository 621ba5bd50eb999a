// Making a room: kept as `creating`, appended by history with its members as one entry, then `ready`.
import {
  AppError,
  type ChangeReply,
  type ChangeRequest,
  errorTable,
  type ParamsOf,
  roomConv,
  type roomsCreate,
} from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { giveName, takeName } from "../accounts/names.ts";
import type { Call } from "../call.ts";
import { startFinishing } from "../finishing.ts";
import { randomName } from "../random-name.ts";
import type { RoomDoc } from "../store.ts";
import { findGuests, tellInvited } from "./guests.ts";
import { type Room, type RoomParts, readRoom, withoutDevice } from "./room.ts";

const generatedIdLength = 12;

export async function createRoom(
  parts: RoomParts,
  params: ParamsOf<typeof roomsCreate>,
  call: Call,
): Promise<Room | AppError> {
  const { store } = parts;
  const { uid, clientId = withoutDevice } = call.caller;
  const members = [...new Set(params.members ?? [])].filter((member) => member !== uid);
  const guests = await findGuests(store, members);
  if (guests instanceof AppError) return guests;
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
    ...guests,
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
    tellInvited(parts, kept.doc, uid, made.invited);
  }
  return readRoom(parts, kept.doc, uid);
}

/**
 * Has history append the creation, then marks the room as ready. Throws `unavailable`: it stays `creating`. Several
 * replicas may do so at once: the room is changed only as it was read.
 */
async function finishRoom(
  { store, history }: Pick<RoomParts, "store" | "history">,
  { doc: room, version }: Versioned<RoomDoc>,
): Promise<ChangeReply | AppError> {
  const { id, name, settings } = room;
  const change: ChangeRequest = {
    conv: roomConv(id),
    id: `create:${id}`,
    device: room.device,
    origin: "api",
    event: { event: "create", by: room.createdBy, uids: room.members, name, room: { ...textsOf(room), settings } },
    ...(room.askFirst ? { askFirst: room.askFirst } : {}),
  };
  let made: ChangeReply;
  try {
    made = await history.change(change);
  } catch (error) {
    const refusal = AppError.from(error);
    if (errorTable[refusal.code].retry || refusal.code === "internal") throw error;
    if (await store.rooms.remove(room.id, version)) await giveName(store, room.id);
    return refusal;
  }
  await store.rooms.update(room.id, { ...room, state: "ready" }, version);
  return made;
}

type Texts = Pick<RoomDoc, "avatar" | "description" | "topic" | "group">;

// What was not given is not kept either.
function textsOf({ avatar, description, topic, group }: { [Name in keyof Texts]: Texts[Name] | undefined }): Texts {
  const given = Object.entries({ avatar, description, topic, group }).filter(([, text]) => text !== undefined);
  return Object.fromEntries(given);
}

/** Finishes rooms whose creation was interrupted: those of an earlier process at once, our own when they are old. */
export function startFinishingRooms(
  parts: Pick<RoomParts, "store" | "history">,
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
