// Mosquitto's database between two starts: memory enough to read it, and what to do when it cannot be read.
import { rename, stat } from "node:fs/promises";
import { join } from "node:path";

const database = "mosquitto.db";
const usualMemoryLimit = 1024 * 1024 * 1024;

/** A database that was saved near the limit must fit again, and with small messages it takes more memory than disk. */
export async function memoryLimit(dir: string): Promise<number> {
  const { size } = await stat(join(dir, database)).catch(() => ({ size: 0 }));
  return Math.max(usualMemoryLimit, 4 * size);
}

/** Mosquitto's last word when it cannot read its database: cut off, damaged, or larger than its memory. */
export const databaseFault = /Couldn't open database/;

/**
 * Sets a database aside that mosquitto cannot read. It holds queues and subscriptions: what Parley has acknowledged is in
 * its own store, devices subscribe again, and senders send again what was not acknowledged.
 */
export async function setDatabaseAside(dir: string, log: (line: string) => void): Promise<void> {
  const aside = `${database}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
  const moved = await rename(join(dir, database), join(dir, aside)).then(
    () => true,
    () => false,
  );
  if (moved) log(`mosquitto could not read its database; it is kept as ${join(dir, aside)}, and mosquitto begins anew`);
}
