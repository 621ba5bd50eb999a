// What a user may read, as history says it; remembered for a moment.
import {
  type Caller,
  isThereWith,
  type ReadableConversation,
  type ReadablePage,
  type ReadableRequest,
  subjects,
} from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";
import { LRUCache } from "lru-cache";

export type Readable = ReadonlyMap<string, ReadableConversation>;

const rememberedConversations = 200_000;
const timeoutMs = 5_000;

/** `keptMs` 0: asked every time. */
export function openReadable(nats: NatsConnection, keptMs: number): (uid: string) => Promise<Readable> {
  const kept = new LRUCache<string, Readable>({
    maxSize: rememberedConversations,
    sizeCalculation: ({ size }) => size + 1,
    ttl: keptMs,
  });
  return async (uid) => {
    const known = keptMs > 0 ? kept.get(uid) : undefined;
    if (known) return known;
    const found = new Map<string, ReadableConversation>();
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const asked: ReadableRequest = { uid, ...(after !== undefined && { after }) };
      const page = await requestJson<ReadablePage>(nats, subjects.readable, asked, { timeoutMs });
      for (const one of page.conversations) found.set(one.conv, one);
      after = page.next;
    }
    if (keptMs > 0) kept.set(uid, found);
    return found;
  };
}

/** Without rooms in which the user is with other devices only. */
export function forDevice(readable: Readable, { clientId }: Pick<Caller, "clientId">): Readable {
  const all = [...readable];
  const seen = all.filter(([, one]) => isThereWith(one, clientId));
  return seen.length === all.length ? readable : new Map(seen);
}

/** True if message `seq` is in a stay of the user's, and was not deleted by the user. */
export function isReadable({ stays, deletedTo }: ReadableConversation, seq: number): boolean {
  return seq > deletedTo && stays.some(([joinSeq, leftSeq]) => joinSeq <= seq && (leftSeq === null || seq <= leftSeq));
}
