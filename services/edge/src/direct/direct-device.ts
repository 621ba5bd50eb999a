// What one device gets past the broker: packets of the edge's own among the broker's, until the device has confirmed them.
import type { Framing } from "../packets/framing.ts";
import { confirmation, publishIdAt, types, type Version } from "../packets/packets.ts";
import { writeVarint } from "../packets/properties.ts";

/** A copy for one device. */
export interface Copy {
  topic: string;
  payload: Buffer;
  /** Called once, and last: the device has it, nobody can have it any more, or it is late and the broker shall have it. */
  end(how: "confirmed" | "gone" | "late"): void;
}

/** What it needs of the connection. */
export interface DirectWays {
  toDevice(bytes: Buffer): void;
  toBroker(bytes: Buffer): void;
  /** PINGREQs of the device that the broker has not answered */
  pings(): number;
  /** PUBLISHes of the broker that the device has not confirmed */
  owed: { readonly size: number; bytes(): number; has(packetId: number): boolean };
  version: Version;
}

type Place = Pick<Framing, "bytes" | "start" | "body" | "end">;

interface Under {
  copy: Readonly<Copy>;
  /** performance.now() */
  at: number;
  /** The broker shall have it too: what it sends of it is this one. */
  isLate: boolean;
  /** the broker's packet that is this copy */
  brokerId: number | undefined;
}

/** Copies under way to a device, in packets and bytes: what comes beyond goes through the broker, which has room for it. */
export const windowMax = 100;
const windowBytes = 256 * 1024;
/** The broker counts up, from 1 and again: the edge's own ids are half of all away, and move on when it comes near. */
const ids = 65_535;
const halfTheIds = 32_768;
const nearIds = 2_000;
/** A device that has not confirmed a copy for so long may be gone: the broker keeps it from then on. */
export const lateAfterMs = 1_500;
/** Up to so much in flight Mosquitto holds nothing back behind it: `max_inflight_messages` is 1,000, `max_inflight_bytes` 4 MiB. */
const owedMax = 200;
const owedBytesMax = 256 * 1024;
/** copies that the device confirmed late, kept until the broker's packet for them has come */
const lateKeptMax = 2 * windowMax;
/** The broker's packet comes at once, or its router is gone. */
const lateKeptMs = 10_000;

export class DirectDevice {
  readonly #ways: DirectWays;
  /** by packet id, oldest first */
  readonly #under = new Map<number, Under>();
  /** confirmed when they were late already */
  readonly #lateConfirmed: Under[] = [];
  #bytes = 0;
  /** late and not confirmed */
  #late = 0;
  #lastId = halfTheIds;
  /** the last one of the broker's */
  #brokerId = 0;
  /** they wait until the broker has nothing for the device */
  #waiting: { copy: Copy; qos: 0 | 1 }[] | undefined;
  /** the device's own PINGRESPs that come before ours */
  #pingsBefore = 0;
  #askAgain = false;
  /** performance.now(): the broker was asked what it has for the device */
  #askedAt = 0;
  /** What it had in flight when it answers, at most: confirmed meanwhile or not, more may wait behind that. */
  #inFlight = { size: 0, bytes: 0 };

  constructor(ways: DirectWays) {
    this.#ways = ways;
  }

  get size(): number {
    return this.#under.size + (this.#waiting?.length ?? 0);
  }

  /** False as well while it owes what is late, or the broker does not answer: it may be gone. */
  hasRoom(bytes: number): boolean {
    if (this.#waiting !== undefined && performance.now() - this.#askedAt >= lateAfterMs) return false;
    return this.#late === 0 && this.size < windowMax && this.#bytes + bytes <= windowBytes;
  }

  /** Copies that follow go out behind what the broker has for the device: a PINGREQ finds out. */
  holdBack(): void {
    if (this.#waiting === undefined) this.#waiting = [];
    else {
      this.#askAgain = true;
      return;
    }
    this.#ask();
  }

  #ask(): void {
    const { pings, owed } = this.#ways;
    this.#pingsBefore = pings();
    this.#askedAt = performance.now();
    this.#inFlight = { size: owed.size, bytes: owed.bytes() };
    this.#ways.toBroker(Buffer.from([types.pingreq << 4, 0]));
  }

  send(copy: Copy, qos: 0 | 1): void {
    this.#bytes += copy.payload.length;
    if (this.#waiting === undefined) this.#write(copy, qos);
    else this.#waiting.push({ copy, qos });
  }

  /** The broker's PINGRESP. True: it is to ours. */
  answered(): boolean {
    if (this.#waiting === undefined) return false;
    if (this.#pingsBefore > 0) {
      this.#pingsBefore -= 1;
      return false;
    }
    if (this.#askAgain) {
      this.#askAgain = false;
      this.#ask();
      return true;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const isBehind = isMuch(this.#inFlight);
    for (const { copy, qos } of waiting)
      if (isBehind) this.#end(copy, "late");
      else this.#write(copy, qos);
    return true;
  }

  /** PUBACK. True: it is to one of these. */
  confirmed({ bytes, body }: Place): boolean {
    const packetId = bytes.readUInt16BE(body);
    const under = this.#under.get(packetId);
    if (under === undefined) return false;
    this.#under.delete(packetId);
    if (under.brokerId !== undefined) this.#ways.toBroker(confirmation("puback", under.brokerId));
    else if (under.isLate) this.#remember({ ...under, at: performance.now() });
    if (!under.isLate) {
      this.#end(under.copy, "confirmed");
      return true;
    }
    this.#late -= 1;
    this.#bytes -= under.copy.payload.length;
    return true;
  }

  /** A PUBLISH of the broker. True: the device has it already, or is being sent it. */
  isKnown({ bytes, start, body, end }: Place): boolean {
    if ((bytes[start]! & 6) === 0) return false;
    this.#inFlight.size += 1;
    this.#inFlight.bytes += end - start;
    const idAt = publishIdAt(bytes, body);
    const packetId = bytes.readUInt16BE(idAt);
    this.#brokerId = packetId;
    if ((bytes[start]! & 6) !== 2) return false;
    const late = this.#findLate(bytes, idAt + 2, end);
    if (late === undefined) return false;
    if (typeof late === "number") {
      this.#lateConfirmed.splice(late, 1);
      this.#ways.toBroker(confirmation("puback", packetId));
    } else late.brokerId = packetId;
    return true;
  }

  /** A PUBLISH of the broker has the packet id of a copy that the device has never confirmed, half the ids later. */
  collides({ bytes, start, body }: Place): boolean {
    return (bytes[start]! & 6) !== 0 && this.#under.has(bytes.readUInt16BE(publishIdAt(bytes, body)));
  }

  /** What has waited for too long is late. */
  look(now: number): void {
    for (const under of this.#under.values()) {
      if (now - under.at < lateAfterMs) break;
      this.#makeLate(under);
    }
    if (this.#waiting === undefined || now - this.#askedAt < lateAfterMs) return;
    for (const { copy } of this.#waiting.splice(0)) this.#end(copy, "late");
  }

  /** What it has not confirmed of this topic is late. */
  leaveToBroker(topic: string): void {
    for (const under of this.#under.values()) if (under.copy.topic === topic) this.#makeLate(under);
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = waiting.filter(({ copy }) => copy.topic !== topic);
    for (const { copy } of waiting) if (copy.topic === topic) this.#end(copy, "late");
  }

  /** The connection ends. `persists`: the session does not. */
  close(persists: boolean): void {
    const how = persists ? "late" : "gone";
    for (const { copy, isLate } of this.#under.values()) if (!isLate) copy.end(how);
    for (const { copy } of this.#waiting ?? []) copy.end(how);
    this.#under.clear();
    this.#waiting = undefined;
  }

  #makeLate(under: Under): void {
    if (under.isLate) return;
    under.isLate = true;
    this.#late += 1;
    const { payload, topic, end } = under.copy;
    // It stays for longer than what it came with.
    under.copy = { payload: Buffer.from(payload), topic, end };
    end("late");
  }

  #end(copy: Copy, how: "confirmed" | "late"): void {
    this.#bytes -= copy.payload.length;
    copy.end(how);
  }

  #write(copy: Copy, qos: 0 | 1): void {
    const packetId = qos === 0 ? undefined : this.#freeId();
    this.#ways.toDevice(writePublish(copy, packetId, this.#ways.version));
    if (packetId === undefined) this.#end(copy, "confirmed");
    else this.#under.set(packetId, { copy, at: performance.now(), isLate: false, brokerId: undefined });
  }

  #freeId(): number {
    const { owed } = this.#ways;
    if ((this.#lastId - this.#brokerId + ids) % ids < nearIds) this.#lastId = (this.#brokerId + halfTheIds) % ids;
    do this.#lastId = (this.#lastId % ids) + 1;
    while (this.#under.has(this.#lastId) || owed.has(this.#lastId));
    return this.#lastId;
  }

  #remember(under: Under): void {
    this.#lateConfirmed.push(under);
    if (this.#lateConfirmed.length > lateKeptMax) this.#lateConfirmed.shift();
  }

  /** Of a late copy under way, or the place of one that is confirmed. */
  #findLate(bytes: Buffer, from: number, end: number): Under | number | undefined {
    const isSame = ({ copy }: Under): boolean => isPayload(copy.payload, bytes, from, end, this.#ways.version);
    for (const under of this.#under.values())
      if (under.isLate && under.brokerId === undefined && isSame(under)) return under;
    if (this.#lateConfirmed.length === 0) return undefined;
    const since = performance.now() - lateKeptMs;
    const at = this.#lateConfirmed.findIndex((under) => under.at > since && isSame(under));
    return at < 0 ? undefined : at;
  }
}

/** More may wait at the broker behind what it has not confirmed. */
export function owesMuch(owed: { readonly size: number; bytes(): number }): boolean {
  return isMuch({ size: owed.size, bytes: owed.bytes() });
}

function isMuch({ size, bytes }: { size: number; bytes: number }): boolean {
  return size > owedMax || bytes > owedBytesMax;
}

/** `from`: behind the packet id, where MQTT 5 has properties. */
function isPayload(payload: Buffer, bytes: Buffer, from: number, end: number, version: Version): boolean {
  // The broker adds none to a copy.
  const at = version === 5 ? (bytes[from] === 0 ? from + 1 : -1) : from;
  return at >= 0 && end - at === payload.length && bytes.compare(payload, 0, payload.length, at, end) === 0;
}

function writePublish({ topic, payload }: Copy, packetId: number | undefined, version: Version): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const size = 2 + topicBytes + (packetId === undefined ? 0 : 2) + (version === 5 ? 1 : 0) + payload.length;
  const length = writeVarint(size);
  const packet = Buffer.allocUnsafe(1 + length.length + size);
  packet[0] = (types.publish << 4) | (packetId === undefined ? 0 : 2);
  packet.set(length, 1);
  let at = packet.writeUInt16BE(topicBytes, 1 + length.length);
  at += packet.write(topic, at);
  if (packetId !== undefined) at = packet.writeUInt16BE(packetId, at);
  if (version === 5) packet[at++] = 0;
  packet.set(payload, at);
  return packet;
}
