// Rooms that are topics of guests: made by the first message, open to all, owned by nobody.
import { AppError, topicOfRoom, withoutDevice } from "@parley/protocol";
import { takeName } from "../accounts/names/names.ts";
import type { RoomDoc } from "../store.ts";
import { finishRoom } from "./create.ts";
import { isGuestTopic } from "./guest-topics.ts";
import type { RoomParts } from "./room.ts";

/** Who made them, as the log says it: a name that nobody can have. */
const maker = "parley";

/** Makes the room where it is not there; what two routers ask at once comes to one room. Throws `unavailable`. */
export async function openRoom(
  parts: Pick<RoomParts, "store" | "history" | "pass" | "guestPrefixes">,
  id: string,
): Promise<object | AppError> {
  const { store, guestPrefixes } = parts;
  const topic = topicOfRoom(id);
  if (topic === undefined || !isGuestTopic(id, guestPrefixes))
    return new AppError("forbidden", `${id} is no topic of guests`);
  const taken = new AppError("conflict", `the name ${id} is taken`);
  if (!(await takeName(store, id, "room"))) return taken;
  const doc: RoomDoc = {
    id,
    name: topic.normalize("NFC"),
    createdBy: maker,
    createdAt: Date.now(),
    settings: { join: "open", history: "all" },
    guests: true,
    state: "creating",
    members: [],
    device: withoutDevice,
    madeBy: `topic:${id}`,
  };
  await store.rooms.insert(id, doc);
  const kept = await store.rooms.get(id);
  if (!kept?.doc.guests) return taken;
  if (kept.doc.state === "ready") return {};
  const made = await finishRoom(parts, kept);
  return made instanceof AppError ? made : {};
}
