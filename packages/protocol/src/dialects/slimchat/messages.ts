// SlimChat draft, Message: what a device sends, what it is sent, and the copy with `ts` that is its ack.
import type { JsonObject } from "../../codec.ts";
import { AppError } from "../../errors.ts";
import { convOf } from "../../ids.ts";
import type { Downlink, Outgoing, Stored } from "../dialect.ts";
import { urlOf, type Worded, withNick } from "../words.ts";
import { type Place, plainAddress } from "./oids.ts";

const types: readonly unknown[] = ["chat", "grpchat", "event"];
const files: ReadonlySet<string> = new Set(["image", "audio", "video", "file"]);

/** A device's packet as Parley stores it. `from` and `ts` are the server's: what the packet says of them goes. */
export function readMessage(packet: JsonObject, place: Place, uid: string): (Outgoing & { type: string }) | AppError {
  if (packet.type !== undefined && !types.includes(packet.type))
    return new AppError("invalid_packet", "type must be chat, grpchat or event, or one of a presence");
  const { from: _, ts: __, seq: ___, conv: ____, device: _____, id, thread, content, ...rest } = packet;
  const own = place.address.kind === "room" ? "grpchat" : "chat";
  return {
    ...rest,
    ...(id === undefined ? {} : { id: typeof id === "number" ? `${id}` : (id as string) }),
    to: place.to,
    type: packet.type === "event" ? "event" : own,
    ...threadUp(thread, convOf(uid, place.address)),
    content: contentUp(content),
    ...(place.isNode ? { oid: `node/${place.uid}` } : {}),
  };
}

/** The sender's packet with the server's fields: its ack. */
export function writeAck(packet: JsonObject, sent: Outgoing, { id, conv, seq, ts }: Stored, uid: string): JsonObject {
  const to = packet.to ?? plainAddress(sent.to);
  const thread = packet.thread ?? conv;
  return { ...packet, id: packet.id ?? id, from: uid, to, type: sent.type, thread, content: packet.content, ts, seq };
}

/** A stored message as devices get it. */
export function writeMessage(message: Downlink, publicUrl: string): JsonObject {
  const { conv, seq, from, device: _, ts, id, to, type, thread, content, nick, oid, ...rest } = message;
  const isEvent = (content as Worded["content"]).type === "event";
  const own = `${conv}`.startsWith("room/") || `${conv}`.startsWith("ch/") ? "grpchat" : "chat";
  return {
    id: id ?? `${conv}/${seq}`,
    from,
    to: oid ?? plainAddress(`${to || conv}`),
    type: isEvent || type === "event" ? "event" : own,
    thread: threadDown(thread, `${conv}`),
    content: contentDown(message as unknown as Worded, publicUrl),
    ts,
    seq,
    ...rest,
  };
}

/** The conversation that a packet of a device is about: `thread` names it, else the topic. */
export function convFor({ thread }: JsonObject, place: Place, uid: string): string {
  return typeof thread === "string" && /^(p2p|room|dev|ch)\//.test(thread) ? thread : convOf(uid, place.address);
}

// Absent, or the conversation: it is in no thread. `{conv}/{seq}` is how a thread of Parley's is told to devices.
function threadUp(thread: unknown, conv: string): { thread?: unknown } {
  if (thread === undefined || thread === conv) return {};
  const seq = typeof thread === "string" && thread.startsWith(`${conv}/`) ? thread.slice(conv.length + 1) : "";
  return { thread: /^[1-9]\d{0,14}$/.test(seq) ? Number(seq) : thread };
}

function threadDown(thread: unknown, conv: string): string {
  if (typeof thread === "string") return thread;
  return thread === undefined ? conv : `${conv}/${thread}`;
}

// The draft knows `data` alone: of a file it is its URL.
function contentUp(content: unknown): Outgoing["content"] {
  const { type, data, url, file } = (content ?? {}) as Record<string, unknown>;
  const isUrl = typeof data === "string" && /^(https?:\/\/|\/)\S+$/.test(data);
  if (!files.has(`${type}`) || !isUrl || url !== undefined || file !== undefined) return content as Outgoing["content"];
  const { data: _, ...rest } = content as Outgoing["content"];
  return { ...rest, url: data };
}

function contentDown(message: Worded, publicUrl: string): Worded["content"] {
  const { content } = message;
  if (content.type === "text" && typeof content.data === "string")
    return { ...content, data: withNick(message, content.data) };
  const url = files.has(content.type) || content.type === "sticker" ? urlOf(content, publicUrl) : undefined;
  return url === undefined ? content : { ...content, url, data: content.data ?? url };
}
