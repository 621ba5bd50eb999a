// Who is told of a user's presence: asked of api, kept for a while, and asked anew when api says that it changed.
import { type ContactsReply, subjects } from "@parley/protocol";
import { type NatsConnection, onNatsBack, requestJson } from "@parley/runtime";
import { LRUCache } from "lru-cache";

export interface Contacts {
  /** Rejects when api does not answer. */
  of(uid: string): Promise<ContactsReply>;
  /** What is known of the user counts no more. */
  forget(uid: string): void;
  close(): void;
}

/** A change of which nothing was heard is known by then. */
const keptMs = 30_000;
const contactsKept = 2_000_000;
const askMs = 2000;

export function openContacts(nats: NatsConnection): Contacts {
  const kept = new LRUCache<string, ContactsReply>({
    maxSize: contactsKept,
    sizeCalculation: ({ uids }) => uids.length + 1,
    ttl: keptMs,
  });
  // Those who want the same at once share a request; what was forgotten since it was asked is not kept.
  const asked = new Map<string, Promise<ContactsReply>>();

  function ask(uid: string): Promise<ContactsReply> {
    const asking = requestJson<ContactsReply>(nats, subjects.contacts, { uid }, { timeoutMs: askMs })
      .then((reply) => {
        if (asked.get(uid) === asking) kept.set(uid, reply);
        return reply;
      })
      .finally(() => {
        if (asked.get(uid) === asking) asked.delete(uid);
      });
    asked.set(uid, asking);
    return asking;
  }

  const stop = onNatsBack(nats, () => {
    kept.clear();
    asked.clear();
  });
  return {
    of: async (uid) => kept.get(uid) ?? asked.get(uid) ?? ask(uid),
    forget(uid) {
      kept.delete(uid);
      asked.delete(uid);
    },
    close: stop,
  };
}
