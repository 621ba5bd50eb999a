// An outbox in IndexedDB, for browsers.
import type { IDBPObjectStore } from "idb";
import { type DeviceSchema, openDevice } from "./indexed-db.ts";
import type { OutboxStore } from "./outbox-store.ts";

type Outbox = IDBPObjectStore<DeviceSchema, ["outbox"], "outbox", "readwrite">;

/** `name` tells devices apart; give it the name of the device's cache. */
export function indexedOutbox(name: string): OutboxStore {
  const database = openDevice(name);

  async function change(
    id: string,
    work: (outbox: Outbox, key: number | undefined) => Promise<unknown>,
  ): Promise<void> {
    const transaction = (await database()).transaction("outbox", "readwrite");
    const key = transaction.store.index("id").getKey(id);
    await Promise.all([key.then((known) => work(transaction.store, known)), transaction.done]);
  }

  return {
    load: async () => (await database()).getAll("outbox"),

    put: (message) => change(message.id, (outbox, key) => outbox.put(message, key)),

    remove: (id) => change(id, async (outbox, key) => key !== undefined && outbox.delete(key)),
  };
}
