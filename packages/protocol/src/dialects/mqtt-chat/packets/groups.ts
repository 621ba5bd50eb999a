// Changes of groups: one after the other for each, and a group that is not there yet is made by whoever writes to it first.
import { AppError } from "../../../errors.ts";
import { parseAddress } from "../../../ids.ts";
import type { ResultOf } from "../../../methods/method.ts";
import { roomsCreate, roomsGet } from "../../../methods/rooms.ts";
import type { RoomSettings } from "../../../rooms.ts";
import type { Device } from "../device/device.ts";
import { sayRefusal } from "../device/words.ts";

export type Group = ResultOf<typeof roomsGet>;

/** In this protocol every member adds others. */
const settings: RoomSettings = { invite: "member" };

export interface NewGroup {
  name?: string | undefined;
  avatar?: string | undefined;
}

/** The change is told as `what` where it is refused: "members not changed". */
export function changeGroup(
  device: Device,
  { id, what }: { id: string; what: string },
  change: () => Promise<void>,
): Promise<void> {
  return device.turns.inTurn(id, async () => {
    try {
      if (!parseAddress(`room/${id}`))
        throw new AppError("invalid_packet", "a group's id has 1 to 128 characters of 0-9 a-z A-Z _ - @ .");
      await change();
    } catch (refusal) {
      await sayRefusal(device, what, refusal);
    }
  });
}

/** The group, or undefined: the id was free, and it is made now, with the user as its owner. Rejects with the refusal. */
export async function findOrMake(
  device: Device,
  id: string,
  { name = id, avatar }: NewGroup,
): Promise<Group | undefined> {
  try {
    return await device.parley.call(roomsGet, { id });
  } catch (refusal) {
    if (AppError.from(refusal).code !== "not_found") throw refusal;
  }
  const texts = avatar === undefined || avatar === "" ? { name } : { name, avatar };
  await device.parley.call(roomsCreate, { id, ...texts, settings });
  device.kinds.set(id, "room");
  return undefined;
}
