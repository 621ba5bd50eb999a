// Presence, `{id}/s/l`: `L` and `F`, for live and off; `Online` and `Offline` mean the same.

import { isUid } from "../../../ids.ts";
import { presenceGet } from "../../../methods/presence.ts";
import type { PresenceNotice } from "../../../packets/downlink.ts";
import { readPresence } from "../../contacts.ts";
import type { Downlink, Said } from "../../dialect.ts";
import type { Device } from "../device/device.ts";
import { readText } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
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
    await device.presence.say(shows[word] as "online" | "invisible").catch(() => undefined);
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
      const contacts = await readPresence(parley);
      return [...contacts].map(([id, isLive]) => ({ topic: `${id}/${suffix}`, payload: isLive ? "L" : "F" }));
    },
  },
};

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
