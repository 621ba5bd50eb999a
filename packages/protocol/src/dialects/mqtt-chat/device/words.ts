// Message packets for the device, and what Parley itself says to it: a text from `parley`.

import { AppError } from "../../../errors.ts";
import type { Said } from "../../dialect.ts";
import type { Device } from "./device.ts";
import { topicFor } from "./topics.ts";

/** Where messages to a user are said; the last one is the page's alias. */
export const messageSuffixes = ["o/m", "others/messages", "message"] as const;

/** What `c` may be: programs pass over a message with another one. */
export const messageKinds = [
  "TEXT",
  "IMAGE",
  "MAP",
  "CONTACT",
  "QAR",
  "NOTIFICATION",
  "CALL",
  "FILE",
  "VIDEO",
  "QA",
] as const;
export type MessageKind = (typeof messageKinds)[number];

export interface MessageFields {
  /** the text; of MAP, CONTACT, IMAGE and QAR it is JSON */
  m: string;
  i: string;
  s: string;
  c: MessageKind;
  /** a delivery receipt is wanted */
  d: boolean;
  /** unix ms */
  t: number;
  /** of a user's own message on its other devices: to whom it went */
  r?: string;
}

/** A text from `parley`. */
export function wordsPacket(device: Device, text: string): Said {
  const fields: MessageFields = { m: text, i: smallId(), s: "parley", c: "TEXT", d: false, t: Date.now() };
  return saidMessage(topicFor(device, device.tree.uid, messageSuffixes), fields);
}

/** The same, said where the device takes messages; nothing where it does not. */
export async function sayWords(device: Device, text: string): Promise<void> {
  const said = wordsPacket(device, text);
  if (device.hears(said.topic)) await device.parley.say(said);
}

const floodWordsMs = 1_000;

/**
 * What was not done, and why; of a flood once a second. Of a device whose filters are not known yet it is thrown where it may be done later: it
 * would hear nothing of it, and for its program a PUBACK is all.
 */
export async function sayRefusal(device: Device, what: string, refusal: unknown): Promise<void> {
  const error = AppError.from(refusal);
  const { code, message } = error;
  if (code === "unavailable" && device.tree.filters.length === 0) throw error;
  if (code === "rate_limited") {
    if (Date.now() - device.toldOfFloodAt < floodWordsMs) return;
    device.toldOfFloodAt = Date.now();
  }
  await sayWords(device, `${what}: ${message}`);
}

let counted = 0;

// Ten characters: no other of this process and this moment.
function smallId(): string {
  counted = (counted + 1) % 1_296;
  return `${Date.now().toString(36)}${counted.toString(36).padStart(2, "0")}`;
}

export function saidMessage(topic: string, fields: MessageFields): Said {
  return { topic, payload: JSON.stringify(fields) };
}
