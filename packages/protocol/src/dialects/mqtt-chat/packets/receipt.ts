// Receipts, `{sender}/o/d`: the payload is a message's id. To the sender's topic: it was delivered. On the user's own topic: the user has
// seen it, on whichever of its devices.

import { isUid, p2pConv, parseConv } from "../../../ids.ts";
import { historyGet } from "../../../methods/history.ts";
import type { ReceiptNotice } from "../../../packets/downlink.ts";
import type { Downlink, Said } from "../../dialect.ts";
import type { Device, Place, StoredMessage } from "../device/device.ts";
import { readText } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { ownFieldsOf, ownIdOf } from "./content.ts";
import type { Addressed, Provider } from "./provider.ts";

const suffixes = ["o/d", "others/receipts"] as const;
/** Messages of history that are looked at where the device's desk is new. */
const lookedBack = 100;

export const receipts: Provider = {
  suffixes,
  async take({ id: receiver, packet }: Addressed, device) {
    const named = readText(packet.payload)?.trim();
    if (named === undefined || named === "" || !isUid(receiver)) return;
    const { uid } = device.tree;
    const place = receiver === uid ? findSeen(named, device) : await findDelivered(receiver, named, device);
    if (place === undefined) return;
    const mark = receiver === uid ? { read: place.seq } : { delivered: place.seq };
    // It may be of a conversation that is the user's no longer: nobody waits for a word about that.
    await device.parley.receipt({ conv: place.conv, ...mark }).catch(() => undefined);
    if (receiver === uid) device.seenTold.set(place.conv, Math.max(place.seq, device.seenTold.get(place.conv) ?? 0));
  },
  render: (packet: Downlink, device) =>
    packet.type === "receipt" ? renderReceipt(packet as unknown as ReceiptNotice, device) : [],
};

async function renderReceipt(notice: ReceiptNotice, device: Device): Promise<readonly Said[]> {
  const ids = notice.uid === device.tree.uid ? seenElsewhere(notice, device) : await newlyDelivered(notice, device);
  const topic = topicFor(device, device.tree.uid, suffixes);
  return ids.map((payload) => ({ topic, payload }));
}

// Of those that were delivered the last one: another's id may be the same.
function findSeen(id: string, device: Device): Place | undefined {
  let found: Place | undefined;
  for (const [, delivered] of device.delivered.entries()) if (delivered.id === id) found = delivered;
  return found;
}

async function findDelivered(from: string, id: string, device: Device): Promise<Place | undefined> {
  const known = device.delivered.get(`${from} ${id}`);
  if (known) return known;
  const conv = p2pConv(device.tree.uid, from);
  return (await readBack(device, { conv })).find((message) => message.from === from && message.id === id);
}

async function readBack(device: Device, of: { conv: string; before?: number }): Promise<StoredMessage[]> {
  try {
    const { messages } = await device.parley.call(historyGet, { ...of, limit: lookedBack });
    return messages as StoredMessage[];
  } catch {
    return [];
  }
}

// Marks speak of all up to a place, receipts of single messages.
async function newlyDelivered({ conv, delivered }: ReceiptNotice, device: Device): Promise<string[]> {
  if (parseConv(conv)?.kind !== "p2p") return [];
  const told = device.deliveryTold.get(conv);
  if (told !== undefined && told >= delivered) return [];
  device.deliveryTold.set(conv, delivered);
  const known = [...device.sent.entries()].filter(([, one]) => one.conv === conv && one.seq <= delivered);
  for (const [key] of known) device.sent.forget(key);
  if (known.length > 0 || told !== undefined) return known.map(([, { id }]) => id);
  const own = (await readBack(device, { conv, before: delivered + 1 })).filter(isOwn);
  return own.slice(-1).map(ownIdOf);

  function isOwn({ from, content }: StoredMessage): boolean {
    const counts = content.type !== "event" && content.type !== "erased";
    return from === device.tree.uid && counts && ownFieldsOf(content).d !== false;
  }
}

function seenElsewhere({ conv, read }: ReceiptNotice, device: Device): string[] {
  const told = device.seenTold.get(conv) ?? 0;
  if (told >= read) return [];
  device.seenTold.set(conv, read);
  const seen = [...device.delivered.entries()].map(([, one]) => one);
  return seen.filter((one) => one.conv === conv && one.seq > told && one.seq <= read).map(({ id }) => id);
}
