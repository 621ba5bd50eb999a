// Chat states, `{id}/o/c`: one form has {"i","c"}, the other {"id","chatStateValues"}. To one's own id a device says its own state: in the
// background or not.

import { isUid, p2pConv, parseAddress, parseConv, roomConv } from "../../../ids.ts";
import { roomsGet } from "../../../methods/rooms.ts";
import type { TypingNotice } from "../../../packets/downlink.ts";
import type { TypingPacket } from "../../../packets/uplink.ts";
import type { Downlink, Said } from "../../dialect.ts";
import type { Device } from "../device/device.ts";
import { readObject, textField } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { becomeActive } from "./presence.ts";
import type { Addressed, Provider } from "./provider.ts";

const suffixes = ["o/c", "others/chatstate", "chatstate"] as const;

/** The first one is spelled so by all programs. */
const inactive: readonly unknown[] = ["INACTVE", "INACTIVE"];

/** Who is there and who is not is the same to whom waits: nobody writes. */
const typingOf: Readonly<Record<string, TypingPacket["state"]>> = {
  COMPOSING: "composing",
  PAUSED: "paused",
  ACTIVE: "paused",
  INACTVE: "paused",
  INACTIVE: "paused",
};

const wordOf: Readonly<Record<string, string>> = { composing: "COMPOSING", recording: "COMPOSING", paused: "PAUSED" };

export const chatStates: Provider = {
  suffixes,
  async take({ id, packet }: Addressed, device) {
    const object = readObject(packet.payload);
    const state = object && textField(object, "c", "chatStateValues");
    if (state === undefined || !Object.hasOwn(typingOf, state)) return;
    if (id === device.tree.uid) return sayActivity(state, device);
    const conv = await convOf(id, device);
    // Of what is worth nothing later, no refusal is told.
    if (conv !== undefined)
      await device.parley.typing({ conv, state: typingOf[state] as TypingPacket["state"] }).catch(() => undefined);
  },
  render(packet: Downlink, device): readonly Said[] {
    if (packet.type !== "typing" || !device.active) return [];
    const { conv, uid, state } = packet as unknown as TypingNotice;
    const word = Object.hasOwn(wordOf, state) ? wordOf[state] : undefined;
    if (word === undefined || uid === device.tree.uid) return [];
    const parsed = parseConv(conv);
    const id = parsed?.kind === "room" ? parsed.roomId : device.tree.uid;
    const payload = JSON.stringify({ i: uid, c: word, id: uid, chatStateValues: word });
    return [{ topic: topicFor(device, id, suffixes), payload }];
  },
};

async function sayActivity(state: string, device: Device): Promise<void> {
  const active = !inactive.includes(state);
  await device.parley.state({ active }).catch(() => undefined);
  await becomeActive(active, device);
}

// The topic does not say whether it is a group's.
async function convOf(id: string, device: Device): Promise<string | undefined> {
  let kind = device.kinds.get(id);
  if (kind === undefined) {
    if (!parseAddress(`room/${id}`)) return undefined;
    kind = await device.parley.call(roomsGet, { id }).then(
      () => "room" as const,
      () => "user" as const,
    );
    device.kinds.set(id, kind);
  }
  if (kind === "room") return roomConv(id);
  return isUid(id) ? p2pConv(device.tree.uid, id) : undefined;
}
