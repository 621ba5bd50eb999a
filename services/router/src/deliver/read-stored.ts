// One stored message, read from history by its place in the log, as it is to be delivered.
import type { StoredEntry } from "@parley/protocol";
import { type NatsConnection, readStored } from "@parley/runtime";
import type { StoredMessage } from "./deliver.ts";

/** undefined: nothing is stored there. Throws `unavailable` when no history answers. */
export type ReadStored = (q: number, pos: number) => Promise<StoredMessage | undefined>;

export function createReadStored(nats: NatsConnection): ReadStored {
  return async (q, pos) => {
    const [entry] = await readStored(nats, q, [pos]);
    return entry && storedMessage(entry);
  };
}

export function storedMessage({ conv, seq, from, device, ts, expiresAt, memberSeq, body }: StoredEntry): StoredMessage {
  return { fields: { conv, seq, from, device, ts, expiresAt }, memberSeq, body };
}
