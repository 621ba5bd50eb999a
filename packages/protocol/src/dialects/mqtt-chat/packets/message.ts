// Messages, `{id}/o/m` and `{gid}/g/m`: {"m":text,"i":id,"s":sender,"c":"TEXT","d":receipt wanted}.

import { AppError } from "../../../errors.ts";
import { parseAddress, parseConv } from "../../../ids.ts";
import { readJsonHead } from "../../../json-head.ts";
import type { Downlink, Outgoing, Said } from "../../dialect.ts";
import { whenKnown } from "../../when-known.ts";
import { asMessage, type Device, type StoredMessage } from "../device/device.ts";
import { readObject, readText } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { type MessageFields, messageSuffixes, saidMessage, sayRefusal } from "../device/words.ts";
import { callContent } from "./call.ts";
import { contentOf, type OwnFields, ownFieldsOf, ownIdOf, wordsOf } from "./content.ts";
import { groupProfileSuffixes, tellsGroupProfile } from "./group-profile.ts";
import { memberSuffixes, tellsMembers } from "./members.ts";
import type { Addressed, Provider } from "./provider.ts";

const groupSuffixes = ["g/m", ...messageSuffixes] as const;

/** To a user; on the page's topics also to a group. */
export const messages: Provider = {
  suffixes: messageSuffixes,
  take: ({ id, packet }, device) => takeMessage({ id, packet }, device, device.kinds.get(id)),
  render: renderMessage,
};

export const groupMessages: Provider = {
  suffixes: ["g/m"],
  take: (addressed, device) => takeMessage(addressed, device, "room"),
};

async function takeMessage(
  { id, packet }: Addressed,
  device: Device,
  kind: "user" | "room" | undefined,
): Promise<void> {
  // Who clears a retained message publishes nothing: there is none.
  if (packet.payload.byteLength === 0) return;
  const read = readMessage(packet.payload);
  const outcome = read instanceof AppError ? read : await send({ id, packet }, device, kind, read);
  if (outcome instanceof AppError)
    await sayRefusal(device, notSent(read instanceof AppError ? undefined : read.id), outcome);
}

/** What reached nobody, by how its payload begins. */
export function sayNotSent(beginning: Uint8Array, refusal: AppError, device: Device): Promise<void> {
  return sayRefusal(device, notSent(readJsonHead(beginning).get("i")), refusal);
}

function notSent(id: unknown): string {
  return typeof id === "string" && id !== "" ? `not sent (${id.slice(0, 64)})` : "not sent";
}

/** A message before it is known whom it goes to. */
type Read = Pick<Outgoing, "id" | "content">;

// Programs that encrypt what they send do so with a key of their own: for others it is a text.
function readMessage(payload: Uint8Array): Read | AppError {
  const text = readText(payload);
  if (text === undefined) return new AppError("invalid_packet", "a message is UTF-8 text");
  const object = readObject(payload);
  if (object === undefined) {
    const isJson = /^\s*[{[]/.test(text);
    if (isJson) return new AppError("invalid_packet", "a message is one JSON object with m, i, s, c and d");
    return { content: contentOf("TEXT", text) };
  }
  const { m, i, c, d } = object;
  if (typeof m !== "string") return new AppError("invalid_packet", "m is missing: it is the message's text");
  const content = contentOf(c, m);
  const own: OwnFields = {
    ...content.mqttChat,
    ...(typeof i === "number" ? { i } : {}),
    ...(d === false ? { d } : {}),
  };
  const named = typeof i === "string" && i !== "" ? { id: i } : {};
  return { ...named, content: Object.keys(own).length === 0 ? content : { ...content, mqttChat: own } };
}

// An id is a user's or a room's, and the topic does not always say which.
async function send(
  { id, packet }: Addressed,
  device: Device,
  kind: "user" | "room" | undefined,
  message: Read,
): Promise<AppError | undefined> {
  const changing = device.turns.turnOf(id);
  if (changing) await changing;
  for (const one of kind === undefined ? (["user", "room"] as const) : [kind]) {
    const to = `${one}/${id}`;
    if (!parseAddress(to)) continue;
    const stored = await device.parley.send({ ...message, to }, { packet });
    if (!(stored instanceof AppError)) {
      device.kinds.set(id, one);
      const { conv, seq } = stored;
      rememberSent(device, { conv, seq, id: stored.id, content: message.content });
      return undefined;
    }
    if (stored.code !== "not_found") return stored;
  }
  return new AppError("not_found", `there is no ${kind === "room" ? "group" : "user or group"} ${id}`);
}

function rememberSent(device: Device, message: Pick<StoredMessage, "conv" | "seq" | "id" | "content">): void {
  const { conv, seq, content } = message;
  if (ownFieldsOf(content).d !== false) device.sent.set(`${conv} ${seq}`, { conv, seq, id: ownIdOf(message) });
}

function renderMessage(packet: Downlink, device: Device): readonly Said[] | Promise<readonly Said[]> {
  const message = asMessage(packet);
  // What was recalled: its recall stands behind it, and says so.
  if (message === undefined || message.content.type === "erased" || message.content.type === callContent) return [];
  const place = placeOf(message, device);
  if (place === undefined || isToldOtherwise(message, device)) return [];
  remember(message, device);
  return whenKnown(wordsOf(message, device), ({ c, m }) => {
    const fields: MessageFields = {
      c,
      m,
      i: message.from === device.tree.uid ? ownIdOf(message) : message.id,
      s: message.from,
      d: place.wantsReceipt,
      t: message.ts,
      ...(place.to === undefined ? {} : { r: place.to }),
    };
    return [saidMessage(place.topic, fields)];
  });
}

interface MessagePlace {
  topic: string;
  wantsReceipt: boolean;
  to?: string;
}

/** undefined: the device has it, as it sent it. */
function placeOf({ conv, from, device: sender }: StoredMessage, device: Device): MessagePlace | undefined {
  const { uid, clientId } = device.tree;
  const parsed = parseConv(conv);
  if (parsed?.kind === "room") {
    device.kinds.set(parsed.roomId, "room");
    return { topic: topicFor(device, parsed.roomId, groupSuffixes), wantsReceipt: false };
  }
  const mine = topicFor(device, uid, messageSuffixes);
  if (from !== uid || parsed === undefined || parsed.kind === "ch") return { topic: mine, wantsReceipt: true };
  const to = parsed.kind === "dev" ? parsed.uid : parsed.a === uid ? parsed.b : parsed.a;
  if (to === uid) return { topic: mine, wantsReceipt: false };
  if (sender === clientId) return undefined;
  const there = topicFor(device, to, messageSuffixes);
  return { topic: device.hears(there) ? there : mine, wantsReceipt: false, to };
}

// Who is in a group, and what it is, have packets of their own.
function isToldOtherwise({ conv, content }: StoredMessage, device: Device): boolean {
  if (content.type !== "event") return false;
  const parsed = parseConv(conv);
  if (parsed?.kind !== "room") return false;
  const has = (suffixes: readonly string[]) => device.hears(topicFor(device, parsed.roomId, suffixes));
  if (tellsMembers(content, device)) return has(memberSuffixes);
  return tellsGroupProfile(content) && has(groupProfileSuffixes);
}

function remember(message: StoredMessage, device: Device): void {
  const { conv, seq, from, id } = message;
  if (from === device.tree.uid) rememberSent(device, message);
  else device.delivered.set(`${from} ${id}`, { conv, seq, id, from });
}
