// Channels as endpoints of a channel: rooms that are nested in a room.
import { AppError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { roomsNest, roomsUnnest } from "../../methods/rooms.ts";
import type { MemberMode, NestedRoom } from "../../rooms.ts";
import { roomOf } from "./channels.ts";
import type { Device } from "./device.ts";

/** Channel id → what it may; undefined: nothing is said. */
type Endpoints = ReadonlyMap<string, MemberMode | undefined>;

/** As a new room is made with them. */
export async function nestedIn(device: Device, endpoints: Endpoints): Promise<{ nested?: NestedRoom[] }> {
  if (endpoints.size === 0) return {};
  const nested: NestedRoom[] = [];
  for (const [chid, mode = "read-write"] of endpoints) {
    const id = await roomOf(device, chid);
    nested.push(mode === "read-write" ? { id } : { id, mode });
  }
  return { nested };
}

/** As the others do, those that are endpoints already keep their mode where none is said. */
export async function nestChannels(device: Device, id: string, endpoints: Endpoints): Promise<void> {
  for (const [mode, rooms] of await roomsByMode(device, endpoints))
    await device.parley.call(roomsNest, { id, rooms, ...(mode === undefined ? {} : { mode }) });
}

export async function unnestChannels(device: Device, id: string, endpoints: Endpoints): Promise<void> {
  const rooms: string[] = [];
  for (const chid of endpoints.keys()) rooms.push(await roomOf(device, chid));
  for (let from = 0; from < rooms.length; from += limits.nestedRooms)
    await device.parley.call(roomsUnnest, { id, rooms: rooms.slice(from, from + limits.nestedRooms) });
}

async function roomsByMode(device: Device, endpoints: Endpoints): Promise<Map<MemberMode | undefined, string[]>> {
  const found = new Map<MemberMode | undefined, string[]>();
  if (endpoints.size > limits.nestedRooms)
    throw new AppError("conflict", `a channel has at most ${limits.nestedRooms} channels as endpoints`);
  for (const [chid, mode] of endpoints) found.set(mode, [...(found.get(mode) ?? []), await roomOf(device, chid)]);
  return found;
}
