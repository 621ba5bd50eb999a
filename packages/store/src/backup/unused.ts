// The backup of a store that nobody uses: opened here, and copied as its service would.
import { openStore } from "../open-store.ts";

/** Throws `locked` where a service has it open. */
export async function backupUnused(
  url: string,
  service: string,
  folder: string,
  tell: (done: number, of: number) => void,
): Promise<void> {
  const store = await openStore(url, { service, lockWaitMs: 0 });
  try {
    if (!store.backup) throw new TypeError(`the store of ${service} is not in files of its own`);
    await store.backup(folder, tell);
  } finally {
    await store.close();
  }
}
