// How many devices fit into the files this process may have open: each needs two, its own connection and the broker's.
import { readFileSync } from "node:fs";
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";

export interface Room {
  /** devices connected at once */
  devices: number;
  /** sockets beyond them that may wait to be told that the server is busy */
  refused: number;
}

const refusedMost = 1000;
/** The process itself, the doors, probes, the admin port's callers. */
const ownFiles = 64;

/** The limit of this process; undefined where the system does not tell. */
export function readOpenFilesLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}

/** As many devices as are wanted, or as fit, which is said. Throws AppError when hardly any fit. */
export function findRoom(wanted: number, limit: number | undefined, hookSockets: number, log: Logger): Room {
  if (limit === undefined) return { devices: wanted, refused: refusedMost };
  const refused = Math.min(refusedMost, Math.floor(limit / 20));
  const others = ownFiles + hookSockets + refused;
  const fit = Math.floor((limit - others) / 2);
  if (fit < 1)
    throw new AppError("unavailable", `${limit} open files (ulimit -n) are too few: raise it over ${others + 2}`);
  if (fit >= wanted) return { devices: wanted, refused };
  log.warn({
    event: "few_open_files",
    limit,
    maxConnections: wanted,
    accepted: fit,
    reason: `${limit} open files (ulimit -n) are enough for ${fit} devices: raise it to ${2 * wanted + others}, or lower EDGE_MAX_CONNECTIONS`,
  });
  return { devices: fit, refused };
}
