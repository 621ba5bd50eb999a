// What a router asks of a protocol that devices speak: whose packet this is, and what is published so that somebody gets one.
import type { UplinkTopic } from "../topics.ts";

export interface Device {
  uid: string;
  clientId: string;
}

/** Who is to get a packet. Routers speak of people and devices, and only dialects of topics. */
export interface Recipients {
  /** all devices of these users */
  users: readonly string[];
  /** these devices alone */
  devices: readonly Device[];
}

/** `kept`: what a device that is away shall have later, QoS 1. `moment`: typing, presence, QoS 0. */
export type Channel = "kept" | "moment";

/** One payload for many topics. */
export interface Publication {
  topics: readonly string[];
  payload: Uint8Array;
}

export interface Dialect {
  name: string;
  /** what the holder of ingest partition `p` subscribes to hear this dialect's devices */
  uplinkFilter(p: string): string;
  /** Who published there, and what for; undefined: the topic is of another dialect. */
  parseUplink(topic: string): UplinkTopic | undefined;
  /** What to publish so that those of the recipients who speak this dialect get `packet`, a packet of packets/downlink.ts. */
  render(packet: Uint8Array, to: Recipients, channel: Channel): readonly Publication[];
}
