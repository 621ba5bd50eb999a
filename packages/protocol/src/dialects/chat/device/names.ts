// What chat calls things, and what Parley does: conversations are feeds, a message has one number, an account is a phone_id.
import { p2pConv, parseConv, roomConv } from "../../../ids.ts";
import type { Feed } from "../records/messages.ts";

/** Of a message's number: the place in its conversation, and whose conversation it is. */
const seqs = 2 ** 26;
const convBits = 27;

/**
 * The number of a message: by it alone it is told from those of other feeds, it rises within a feed, and the numbers beside it are
 * its neighbours'. Below 2^53; a client that keeps only its low 32 bits still names the place.
 */
export function messageId(conv: string, seq: number): number {
  return (hash(conv) >>> (32 - convBits)) * seqs + seq;
}

/** The place in its conversation that a number names. */
export function seqOf(id: number): number {
  return ((id % seqs) + seqs) % seqs;
}

/** May the number be of a message of this conversation? */
export function isIdOf(conv: string, id: number): boolean {
  return messageId(conv, seqOf(id)) === id;
}

/** The number of a member of a room. */
export function memberId(conv: string, uid: string): number {
  return (hash(`${conv} ${uid}`) & 0xfffff) * 2 ** 32 + hash(`${uid} ${conv}`);
}

export function feedOf(conv: string): Feed {
  const parsed = parseConv(conv);
  if (parsed?.kind === "p2p") return { tup: "p2p", from: parsed.a, to: parsed.b };
  if (parsed?.kind === "dev") {
    const [from, to] = [parsed.from, parsed.uid].sort();
    return { tup: "p2p", from, to };
  }
  return { tup: "muc", name: conv.slice(conv.indexOf("/") + 1) };
}

/** Undefined: it names none. */
export function convOfFeed(feed: Feed | undefined): string | undefined {
  if (feed?.tup === "muc" && feed.name !== undefined) {
    const conv = feed.name.startsWith("$") ? `ch/${feed.name}` : roomConv(feed.name);
    return parseConv(conv) && conv;
  }
  if (feed?.tup !== "p2p" || feed.from === undefined || feed.to === undefined) return undefined;
  const conv = p2pConv(feed.from, feed.to);
  return parseConv(conv) && conv;
}

/** Where messages of a feed are published. */
export function feedTopic(feed: Feed): string {
  return feed.tup === "p2p" ? `p2p/${feed.from}/${feed.to}` : `room/${feed.name}`;
}

/** Of which phone an account is, and the number that it has there; an account without a phone is its own. */
export function phoneOf(uid: string): { phone: string; roster?: number } {
  const [, phone, roster] = /^(\d{5,15})_(\d{1,9})$/.exec(uid) ?? [];
  return phone === undefined ? { phone: uid } : { phone, roster: Number(roster) };
}

const packetIdCharacters = 64;

/** The id that a message of a device is stored under: its own, or one made of it where that is too long. */
export function packetIdOf(msgId: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const plain = msgId.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "_");
  if (plain === msgId && [...msgId].length <= packetIdCharacters) return msgId;
  const name = `${hash(msgId).toString(16)}${hash(`${msgId} `).toString(16)}`;
  return `${name}-${[...plain].slice(name.length + 1 - packetIdCharacters).join("")}`;
}

/** FNV-1a of the text's UTF-16 units, its bits mixed: 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
