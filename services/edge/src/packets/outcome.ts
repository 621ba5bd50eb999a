// What becomes of one packet of a device.
import type { Reason } from "./reasons.ts";

/** Without any field the packet is dropped. */
export interface Outcome {
  /** goes to the broker in the packet's place */
  forward?: Buffer;
  /** goes back to the device */
  reply?: Buffer;
  /** ends the connection, and this is why */
  close?: Reason;
}

/** The packet goes to the broker as it came. */
export const asItCame: Outcome = {};
export const dropped: Outcome = {};
