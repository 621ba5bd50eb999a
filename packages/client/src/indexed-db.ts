// A device's database in the browser: its cache and its outbox, each with a connection that is opened again when it is lost.
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { CachedConversation } from "./cache-store.ts";
import type { OutgoingMessage } from "./outbox.ts";

export interface DeviceSchema extends DBSchema {
  conversations: { key: string; value: CachedConversation };
  /** by name: `syncedAt` */
  moments: { key: string; value: number };
  /** keys count up, so that they are the order of `put` */
  outbox: { key: number; value: OutgoingMessage; indexes: { id: string } };
}

export type DeviceDatabase = IDBPDatabase<DeviceSchema>;

const version = 1;

/** `name` tells devices apart. Answers how to get at the database; what the browser refuses is thrown as it says it. */
export function openDevice(name: string): () => Promise<DeviceDatabase> {
  let opened: Promise<DeviceDatabase> | undefined;

  function open(): Promise<DeviceDatabase> {
    const opening = openDB<DeviceSchema>(`parley/${name}`, version, {
      upgrade(database) {
        database.createObjectStore("conversations", { keyPath: "conv" });
        database.createObjectStore("moments");
        database.createObjectStore("outbox", { autoIncrement: true }).createIndex("id", "id", { unique: true });
      },
      // A tab with a newer version, or one that deletes the database, must not wait for this one.
      blocking(_is, _wanted, event) {
        (event.target as IDBDatabase).close();
        forget(opening);
      },
      terminated: () => forget(opening),
    });
    opening.catch(() => forget(opening));
    return opening;
  }

  function forget(lost: Promise<DeviceDatabase>): void {
    if (opened === lost) opened = undefined;
  }

  return () => {
    opened ??= open();
    return opened;
  };
}
