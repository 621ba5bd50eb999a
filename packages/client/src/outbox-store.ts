// Where unacknowledged messages are kept so that they outlive the program: the port, and its browser engine.
import type { OutgoingMessage } from "./outbox.ts";

/**
 * Keeps one device's outbox. `load` answers in the order of `put`. Give the device a fixed name: a message sent again
 * by another device would be another message.
 */
export interface OutboxStore {
  load(): Promise<OutgoingMessage[]>;
  put(message: OutgoingMessage): Promise<void>;
  remove(id: string): Promise<void>;
}

/** The part of `Storage` that is needed. */
export interface KeyValueStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** An outbox in `localStorage` (or anything like it), one key a message; `name` tells devices apart. */
export function storageOutbox(storage: KeyValueStorage, name: string): OutboxStore {
  const prefix = `parley-outbox/${name}/`;
  const keys = () =>
    Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "").filter((key) =>
      key.startsWith(prefix),
    );
  let order = 0;
  return {
    async load() {
      const kept = keys().flatMap((key) => {
        const entry = parseKept(storage.getItem(key));
        return entry ? [entry] : [];
      });
      kept.sort((one, other) => one.order - other.order);
      order = kept.at(-1)?.order ?? 0;
      return kept.map(({ message }) => message);
    },
    async put(message) {
      order += 1;
      storage.setItem(prefix + message.id, JSON.stringify({ order, message }));
    },
    async remove(id) {
      storage.removeItem(prefix + id);
    },
  };
}

function parseKept(text: string | null): { order: number; message: OutgoingMessage } | undefined {
  try {
    return JSON.parse(text ?? "") as { order: number; message: OutgoingMessage };
  } catch {
    // Not ours, or cut off: what cannot be read cannot be sent.
    return undefined;
  }
}
