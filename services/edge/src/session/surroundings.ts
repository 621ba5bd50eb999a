// What a connection is made of: its device, and what all connections share.
import type { Duplex } from "node:stream";
import type { Logger, Turns } from "@parley/runtime";
import type { ConnectRules, Peer } from "../connect/connect.ts";
import type { DirectTurns } from "../direct/turns.ts";
import type { Reason } from "../packets/reasons.ts";
import type { Member } from "./member.ts";
import type { Sessions } from "./sessions.ts";
import type { UplinkLimits } from "./uplink-rates.ts";
import type { WriteDown } from "./write-down.ts";

/** What every connection needs of the edge. */
export interface Surroundings {
  rules: ConnectRules;
  sessions: Sessions;
  /** of CONNECTs to be judged */
  turns: Turns;
  maxPacketBytes: number;
  uplinkLimits: UplinkLimits;
  /** how long a CONNECT may wait for its turn, and for hooks that do not answer */
  connectWaitMs: number;
  /** how long a device may read nothing of what it was sent */
  unreadMs: number;
  log: Logger;
  /** undefined: all goes through the broker */
  direct: (DirectTurns & { writeDown: Pick<WriteDown, "now"> }) | undefined;
  /** Takes a device's place; false when there is none left. */
  admit(): boolean;
  onClose(connection: Member, reason: Reason | undefined): void;
  /** The sockets of one that was admitted are closed. */
  release(): void;
}

interface DevicePlace {
  /** CONNECT has come: until then it may be closed for others. */
  spoke(): void;
}

/** A device as its listener hands it over. */
export interface Device {
  /** its errors destroy it */
  stream: Duplex;
  transport: "tcp" | "ws";
  peer: Peer;
  place: DevicePlace;
}
