// Presence, `{id}/s/l`: `L` and `F`, for live and off; `Online` and `Offline` mean the same.

import { isUid } from "../../../ids.ts";
import { presenceGet, presenceList } from "../../../methods/presence.ts";
import type { PresenceNotice } from "../../../packets/downlink.ts";
import type { Downlink, Said } from "../../dialect.ts";
import { readAll } from "../../read-all.ts";
import type { Device } from "../device/device.ts";
import { readText } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { friendsOf } from "./profile.ts";
import type { Addressed, Provider } from "./provider.ts";

const suffixes = ["s/l", "self/presence"] as const;

const shows: Readonly<Record<string, "online" | "invisible">> = {
  L: "online",
  Online: "online",
  F: "invisible",
  Offline: "invisible",
};

export const presence: Provider = {
  suffixes,
  async take({ id, packet }: Addressed, device) {
    const word = readText(packet.payload)?.trim() ?? "";
    if (id !== device.tree.uid || !Object.hasOwn(shows, word)) return;
    device.saidPresenceOn = device.tree.connectedAt;
    await device.parley.state({ show: shows[word] as "online" | "invisible" }).catch(() => undefined);
  },
  render(packet: Downlink, device) {
    if (packet.type !== "presence") return [];
    const { uid, show } = packet as unknown as PresenceNotice;
    if (uid === device.tree.uid) return [];
    if (device.active) return [saidPresence(uid, wordOf(show), device)];
    device.heldPresence.set(uid, wordOf(show));
    return [];
  },
  retained: {
    inLists: true,
    async of(id, suffix, { parley, tree }) {
      if (!isUid(id) || id === tree.uid) return [];
      const { show } = await parley.call(presenceGet, { uid: id });
      return [{ topic: `${id}/${suffix}`, payload: wordOf(show) }];
    },
    async ofAll(suffix, { parley }) {
      const [online, contacts] = await Promise.all([
        readAll(
          (page) => parley.call(presenceList, page),
          (page) => page.contacts,
        ),
        friendsOf(parley),
      ]);
      const live = new Set(online.map(({ uid }) => uid));
      return contacts.map(({ id }) => ({ topic: `${id}/${suffix}`, payload: live.has(id) ? "L" : "F" }));
    },
  },
};

/** Whoever connects is live, in this protocol: whatever was said before the connection, and not what was said on it. */
export async function becomeLive(device: Device): Promise<void> {
  const { tree, parley } = device;
  // Before the connection is known here, at 0, it said it on this one.
  if (device.saidPresenceOn === 0) device.saidPresenceOn = tree.connectedAt;
  const isNew = Date.now() - tree.connectedAt < justConnectedMs && device.saidPresenceOn !== tree.connectedAt;
  if (isNew) await parley.state({ show: "online" }).catch(() => undefined);
}

/** A desk may be opened again for a device that is here for long. */
const justConnectedMs = 60_000;

/** It is in the background, or back: then it is told how its friends are by now. */
export async function becomeActive(active: boolean, device: Device): Promise<void> {
  device.active = active;
  if (!active) return;
  const held = [...device.heldPresence.entries()];
  for (const [uid] of held) device.heldPresence.forget(uid);
  await Promise.all(held.map(([uid, word]) => device.parley.say(saidPresence(uid, word, device))));
}

function wordOf(show: PresenceNotice["show"]): "L" | "F" {
  return show === "offline" ? "F" : "L";
}

function saidPresence(uid: string, payload: "L" | "F", device: Device): Said {
  return { topic: topicFor(device, uid, suffixes), payload };
}
