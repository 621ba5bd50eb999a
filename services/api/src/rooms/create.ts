// Making a room: kept as `creating`, appended by history with its members as one entry, then `ready`.
import {
  AppError,
  type ChangeRequest,
  errorTable,
  type ParamsOf,
  type ResultOf,
  roomConv,
  type roomsCreate,
} from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { giveName, takeName } from "../accounts/names.ts";
import { firstUnknown } from "../accounts/users.ts";
import type { Call } from "../call.ts";
import { startFinishing } from "../finishing.ts";
import type { History } from "../history.ts";
import { randomName } from "../random-name.ts";
import type { ApiStore, RoomDoc } from "../store.ts";

export interface RoomParts {
  store: ApiStore;
  history: History;
}

export type Room = ResultOf<typeof roomsCreate>;

/** `device` of changes whose caller has none. */
export const withoutDevice = "api";
const generatedIdLength = 12;

export async function createRoom(
  parts: RoomParts,
  params: ParamsOf<typeof roomsCreate>,
  call: Call,
): Promise<Room | AppError> {
  const { store } = parts;
  const { uid, clientId = withoutDevice } = call.caller;
  const members = [...new Set(params.members ?? [])].filter((member) => member !== uid);
  const unknown = await firstUnknown(store, members);
  if (unknown !== undefined) return new AppError("not_found", `there is no user ${unknown}`);
  const doc: RoomDoc = {
    // Without an id of its own a room is named by the operation: worked again it is the same room.
    id: params.id ?? randomName(generatedIdLength, call.operation),
    name: params.name.normalize("NFC"),
    createdBy: uid,
    createdAt: Date.now(),
    settings: params.settings ?? {},
    state: "creating",
    members,
    device: clientId,
    madeBy: call.operation,
  };
  const taken = new AppError("conflict", `the name ${doc.id} is taken`);
  if (!(await takeName(store, doc.id, "room"))) return taken;
  await store.rooms.insert(doc.id, doc);
  const kept = await store.rooms.get(doc.id);
  if (kept?.doc.madeBy !== call.operation) return taken;
  return kept.doc.state === "ready" ? roomOf(kept.doc) : finishRoom(parts, kept);
}

/**
 * Has history append the creation, then marks the room as ready. Throws `unavailable`: it stays `creating`. Several
 * replicas may do so at once: the room is changed only as it was read.
 */
async function finishRoom(
  { store, history }: RoomParts,
  { doc: room, version }: Versioned<RoomDoc>,
): Promise<Room | AppError> {
  const change: ChangeRequest = {
    conv: roomConv(room.id),
    id: `create:${room.id}`,
    device: room.device,
    origin: "api",
    event: { event: "create", by: room.createdBy, uids: room.members, name: room.name },
  };
  try {
    await history.change(change);
  } catch (error) {
    const refusal = AppError.from(error);
    if (errorTable[refusal.code].retry || refusal.code === "internal") throw error;
    if (await store.rooms.remove(room.id, version)) await giveName(store, room.id);
    return refusal;
  }
  await store.rooms.update(room.id, { ...room, state: "ready" }, version);
  return roomOf(room);
}

export function roomOf({ id, name, createdBy, createdAt, settings }: RoomDoc): Room {
  return { id, conv: roomConv(id), name, createdBy, createdAt, settings };
}

/** Finishes rooms whose creation was interrupted: those of an earlier process at once, our own when they are old. */
export function startFinishingRooms(parts: RoomParts, log: Logger): { close(): Promise<void> } {
  return startFinishing({
    find: () => parts.store.rooms.find({ index: "state", equals: ["creating"], limit: 100 }),
    begunAt: ({ createdAt }) => createdAt,
    async finish(kept) {
      const finished = await finishRoom(parts, kept);
      const refused = finished instanceof AppError ? finished.code : undefined;
      log.info({ event: "room_finished", room: kept.doc.id, refused });
    },
    trouble: "rooms_unfinished",
    log,
  });
}
