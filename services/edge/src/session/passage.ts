// How the packets of one connection pass: as they come, or into a tree of its device's own and out of it.
import type { IConnackPacket } from "mqtt-packet";
import type { Decisions } from "../hooks/decisions.ts";
import type { Framing } from "../packets/framing.ts";
import type { Outcome } from "../packets/outcome.ts";
import { subscribeAll } from "../tree/answers.ts";
import { passTreeDownlink } from "../tree/downlink.ts";
import type { TreeGrant } from "../tree/grant.ts";
import { openTreeLarge } from "../tree/large.ts";
import { openTreeDevice, type TreeDevice, type TreeWays } from "../tree/tree-device.ts";
import { decideTreeUplink } from "../tree/uplink.ts";
import type { UplinkDevice } from "../uplink/device.ts";
import { type LargePacket, openLarge } from "../uplink/large.ts";
import { decideUplink } from "../uplink/uplink.ts";
import { passDownlink } from "./downlink.ts";

export interface Passage {
  /** Each packet of the device is written anew on its way. */
  readonly rewrites: boolean;
  decide(frame: Framing): Outcome | Promise<Outcome>;
  /** For a packet larger than the edge keeps, by its first byte. undefined: no client has a reason to send such a packet. */
  openLarge(first: number): LargePacket | undefined;
  /** Sends on every whole packet of the broker. Answers what it saw: a DISCONNECT, or bytes that are no packets. */
  passDownlink(frame: Framing): { parted: boolean; broken: boolean };
}

interface Parts {
  device: UplinkDevice;
  ways: TreeWays;
  decisions: Decisions;
  maxPacketBytes: number;
}

/** `grant`: of a tree, if it has one. `connack`: the broker's. */
export function openPassage(grant: TreeGrant | undefined, connack: IConnackPacket, parts: Parts): Passage {
  if (grant === undefined) return new NativePassage(parts);
  const tree = openTreeDevice(grant, connack, parts.device, parts.ways);
  if (grant.subscribesAll) parts.ways.toBroker(subscribeAll(tree));
  return new TreePassage(tree, parts);
}

class NativePassage implements Passage {
  readonly rewrites = false;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  decide(frame: Framing): Outcome | Promise<Outcome> {
    return decideUplink(frame, this.#parts.device, this.#parts.decisions);
  }

  openLarge(first: number): LargePacket | undefined {
    const { device, ways, maxPacketBytes: maxBytes } = this.#parts;
    return openLarge(first, device, { maxBytes, toBroker: (packet) => ways.toBroker(packet) });
  }

  passDownlink(frame: Framing): { parted: boolean; broken: boolean } {
    return passDownlink(frame, this.#parts.device, this.#parts.ways);
  }
}

class TreePassage implements Passage {
  readonly rewrites = true;
  readonly #tree: TreeDevice;
  readonly #parts: Parts;

  constructor(tree: TreeDevice, parts: Parts) {
    this.#tree = tree;
    this.#parts = parts;
  }

  decide(frame: Framing): Outcome | Promise<Outcome> {
    return decideTreeUplink(frame, this.#tree, this.#parts.decisions);
  }

  openLarge(first: number): LargePacket | undefined {
    return openTreeLarge(first, this.#tree, this.#parts.maxPacketBytes);
  }

  passDownlink(frame: Framing): { parted: boolean; broken: boolean } {
    return passTreeDownlink(frame, this.#tree);
  }
}
