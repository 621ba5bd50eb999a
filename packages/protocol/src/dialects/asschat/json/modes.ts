// ASSChat, Channel User Properties: three bits say whether a user reads, writes, and is sent push notifications.
import { AppError } from "../../../errors.ts";
import type { MemberMode } from "../../../rooms.ts";

const bits = { read: 4, write: 2, push: 1 } as const;

/** A mode as a device writes it. */
export interface Mode {
  mode: MemberMode;
  isPushed: boolean;
}

export function readMode(number: number): Mode | AppError {
  const [reads, writes] = [(number & bits.read) !== 0, (number & bits.write) !== 0];
  if (!reads && !writes)
    return new AppError("invalid_packet", `mode ${number} is for nobody: a user of a channel reads, writes, or both`);
  return { mode: reads && writes ? "read-write" : reads ? "read" : "write", isPushed: (number & bits.push) !== 0 };
}

export function writeMode(mode: MemberMode | undefined, isPushed: boolean): number {
  const reads = mode === "write" ? 0 : bits.read;
  const writes = mode === "read" ? 0 : bits.write;
  return reads + writes + (isPushed ? bits.push : 0);
}
