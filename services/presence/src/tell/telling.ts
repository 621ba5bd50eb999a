// All that tells of presence, put together.
import type { ContactsChanged } from "@parley/protocol";
import type { Logger, MethodHandler, NatsConnection, Redis } from "@parley/runtime";
import type { Documents } from "@parley/store";
import type { Sessions } from "../sessions/sessions.ts";
import { openContacts } from "./contacts.ts";
import { openDue } from "./due.ts";
import { openLastSeen } from "./last-seen.ts";
import { openNotices } from "./notices.ts";
import { presenceMethods } from "./seen.ts";

export interface Telling {
  /** Contacts are to be told of somebody, so many ms from now. */
  due(inMs: number): void;
  /** A device is about to be connected. */
  greet(uid: string, clientId: string): void;
  /** A device is active again. */
  wake(uid: string, clientId: string): void;
  /** For one replica: the two are told how the other is there. */
  tellContacts(changed: ContactsChanged): void;
  /** For every replica. */
  forgetContacts(changed: ContactsChanged): void;
  /** Nothing is kept of a user who is erased. */
  erase(uid: string): Promise<unknown>;
  methods: MethodHandler[];
  close(): Promise<void>;
}

export interface TellingOptions {
  nats: NatsConnection;
  redis: Redis;
  documents: Documents;
  told: Sessions["told"];
  greetDelayMs: number;
  paceMs: number;
  log: Logger;
}

export async function startTelling(options: TellingOptions): Promise<Telling> {
  const { nats, redis, documents, told, greetDelayMs, paceMs, log } = options;
  const contacts = openContacts(nats);
  const lastSeen = await openLastSeen(documents);
  const notices = openNotices({ nats, contacts, lastSeen, told, greetDelayMs, log });
  const due = openDue({ redis, paceMs, tell: notices.tell, log });
  return {
    due: due.wake,
    greet: notices.greet,
    wake: notices.wake,
    tellContacts: notices.tellContacts,
    forgetContacts({ uid, other }) {
      contacts.forget(uid);
      if (other !== undefined) contacts.forget(other);
    },
    erase: lastSeen.remove,
    methods: presenceMethods({ nats, contacts, told, lastSeen }),
    async close() {
      await due.close();
      await notices.close();
      contacts.close();
    },
  };
}
