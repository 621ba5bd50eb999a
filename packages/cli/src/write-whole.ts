// Files that are written whole or not at all.
import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";

/** What was there stays until the whole of the new one is. */
export async function writeWhole(path: string, write: (aside: string) => Promise<void>): Promise<void> {
  const aside = `${path}.${randomUUID().slice(0, 8)}.part`;
  try {
    await write(aside);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
