// SUBSCRIBE and UNSUBSCRIBE of a device with a tree: each filter goes below its mountpoint, and no hook is asked.
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Framing } from "../packets/framing.ts";
import { areFiltersText, readFilters } from "../packets/grammar.ts";
import type { Outcome } from "../packets/outcome.ts";
import { types } from "../packets/packets.ts";
import { writeVarint } from "../packets/properties.ts";
import { reasons } from "../packets/reasons.ts";
import { filtersMax, refuseSubscribe, writeAnswer } from "../uplink/subscribe.ts";
import { refuseUnsubscribe, unsubscribeCodes } from "../uplink/unsubscribe.ts";
import { concludeAsked } from "./conclude.ts";
import { mountFilter } from "./mount-filter.ts";
import type { Asked, TreeDevice } from "./tree-device.ts";

/** SUBSCRIBEs and UNSUBSCRIBEs under way; the next waits until there is room. */
const askedMax = 100;
const roomAgainMs = 50;
/** of a subscription's options, in MQTT 5 */
const noLocal = 4;
const qosBits = 3;

/** A well-formed packet. */
interface Request {
  packet: Buffer;
  isSubscribe: boolean;
  packetId: number;
  /** where its variable header and its first filter begin */
  body: number;
  first: number;
}

/** Filters that have been looked at. */
export interface Reading {
  asked: Asked;
  /** the next filter */
  at: number;
  /** what the broker is asked, spelled as in the packet */
  mounted: Buffer[];
}

export function decideTreeFilters(frame: Framing, tree: TreeDevice): Outcome | Promise<Outcome> {
  const { device } = tree;
  const isSubscribe = frame.bytes[frame.start]! >> 4 === types.subscribe;
  const found = readFilters(frame, device.version);
  if ("code" in found) return { close: found };
  const { packetId, count } = found;
  if (isSubscribe && count > filtersMax) return refuseSubscribe(packetId, count, reasons.tooManyFilters, device);
  if (!areFiltersText(frame.bytes, found.first, frame.end, isSubscribe)) {
    const refuse = isSubscribe ? refuseSubscribe : refuseUnsubscribe;
    return { ...refuse(packetId, count, reasons.topicFilterInvalid, device), close: reasons.malformed };
  }
  const positions = { body: frame.body - frame.start, first: found.first - frame.start };
  const request = { packet: frame.packet(), isSubscribe, packetId, ...positions };
  if (count > filtersMax || tree.asked.length >= askedMax) return readInTurns(request, tree);
  const reading = openReading(isSubscribe, packetId, request.first);
  readSome(reading, request, tree);
  return ask(reading, headOf(request), tree);
}

/** Others' packets go between its filters when they are many, and it waits while too much is asked already. */
async function readInTurns(request: Request, tree: TreeDevice): Promise<Outcome> {
  while (tree.asked.length >= askedMax && tree.device.isOpen()) await sleep(roomAgainMs);
  const reading = openReading(request.isSubscribe, request.packetId, request.first);
  while (reading.at < request.packet.length) {
    await nextTurn();
    readSome(reading, request, tree);
  }
  return ask(reading, headOf(request), tree);
}

/** What stands before the filters, from the variable header on. */
function headOf({ packet, body, first }: Request): Buffer {
  return packet.subarray(body, first);
}

export function openReading(isSubscribe: boolean, packetId: number, first = 0): Reading {
  const asked = {
    isSubscribe,
    packetId,
    filters: [],
    fresh: new Set<string>(),
    codes: [],
    words: "",
    isAnswered: false,
  };
  return { asked, at: first, mounted: [] };
}

function readSome(reading: Reading, { packet, isSubscribe }: Request, tree: TreeDevice): void {
  for (let count = 0; count < filtersMax && reading.at < packet.length; count++) {
    const end = reading.at + 2 + packet.readUInt16BE(reading.at);
    const filter = packet.toString("utf8", reading.at + 2, end);
    if (isSubscribe) note(reading.asked, filter, subscribe(filter, packet[end]!, reading, tree));
    else unsubscribe(filter, reading, tree);
    reading.at = end + (isSubscribe ? 1 : 0);
  }
}

/** Its code, or undefined where the broker is asked. */
function subscribe(filter: string, options: number, { asked, mounted }: Reading, tree: TreeDevice): number | undefined {
  const { filters, device } = tree;
  const found = mountFilter(filter, tree.mountpoint);
  const isKnown = filters.has(filter);
  const refusal = found === undefined ? reasons.topicFilterInvalid : reasons.filtersQuota;
  if (found === undefined || !filters.add(filter)) {
    if (device.wantsWords) asked.words = refusal.words;
    return device.version === 5 ? refusal.code : 128;
  }
  if (!isKnown) asked.fresh.add(filter);
  // It has all of its tree already, at QoS 1. A second subscription might bring each message a second time.
  if (tree.subscribesAll) return Math.min(options & qosBits, 1);
  // A shared one may not have No Local [MQTT-3.8.3-4], and nothing that the device publishes comes back anyhow.
  mounted.push(lengthOf(found.filter), found.filter, Buffer.of(found.isShared ? options & ~noLocal : options));
  return undefined;
}

export function unsubscribe(filter: string, { asked, mounted }: Reading, tree: TreeDevice): void {
  const found = mountFilter(filter, tree.mountpoint);
  if (found === undefined) note(asked, filter, unsubscribeCodes.invalid);
  else if (tree.subscribesAll) note(asked, filter, tree.filters.has(filter) ? 0 : unsubscribeCodes.none);
  else {
    mounted.push(lengthOf(found.filter), found.filter);
    note(asked, filter, undefined);
  }
}

/** `code`: undefined where the broker is asked. */
function note({ filters, codes }: Asked, filter: string, code: number | undefined): void {
  filters.push(filter);
  codes.push(code);
}

function lengthOf(bytes: Buffer): Buffer {
  return Buffer.of(bytes.length >> 8, bytes.length & 0xff);
}

/** Asks the broker, where there is anything to ask it for. `head`: what stands before the filters. */
export function ask({ asked, mounted }: Reading, head: Buffer, tree: TreeDevice): Outcome | Promise<Outcome> {
  tree.asked.push(asked);
  if (mounted.length === 0) return answerSelf(asked, tree);
  const rest = Buffer.concat([head, ...mounted]);
  const type = asked.isSubscribe ? types.subscribe : types.unsubscribe;
  return { forward: Buffer.concat([Buffer.of((type << 4) | 2), writeVarint(rest.length), rest]) };
}

async function answerSelf(asked: Asked, tree: TreeDevice): Promise<Outcome> {
  const codes = asked.codes as number[];
  const cmd = asked.isSubscribe ? "suback" : "unsuback";
  const reply = writeAnswer(cmd, asked.packetId, codes, asked.words, tree.device);
  return (await concludeAsked(asked, codes, tree)) ? { reply } : { close: reasons.unavailable };
}
