// All that tells of presence, put together.
import type { ContactsChanged } from "@parley/protocol";
import type { Logger, MethodHandler, NatsConnection, Redis } from "@parley/runtime";
import type { Documents } from "@parley/store";
import type { Sessions } from "../sessions/sessions.ts";
import { forgetUser } from "../sessions/settle.ts";
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
  /**
   * For one replica: by when this resolves no replica tells or shows by what was so before, and the two are about to be told how
   * the other is there. Rejects when Redis does not do it.
   */
  changeContacts(changed: ContactsChanged): Promise<void>;
  /** For every replica. */
  forgetContacts(changed: ContactsChanged): void;
  /** Nothing is kept of a user who is erased: of whom api says so by now. */
  erase(uid: string): Promise<void>;
  methods: MethodHandler[];
  close(): Promise<void>;
}

export interface TellingOptions {
  nats: NatsConnection;
  redis: Redis;
  documents: Documents;
  sessions: Pick<Sessions, "of" | "told">;
  greetDelayMs: number;
  paceMs: number;
  log: Logger;
}

/** Less than who changes contacts waits for the answer. */
const patienceMs = 800;
const erasePatienceMs = 6000;

export async function startTelling(options: TellingOptions): Promise<Telling> {
  const { nats, redis, documents, sessions, paceMs, log } = options;
  const contacts = openContacts({ nats, redis });
  const lastSeen = await openLastSeen(documents);
  const notices = openNotices({ ...options, contacts, lastSeen });
  const due = openDue({ redis, paceMs, tell: notices.tell, log });
  return {
    due: due.wake,
    greet: notices.greet,
    wake: notices.wake,
    async changeContacts(changed) {
      const { uid, other } = changed;
      try {
        await contacts.changed(other === undefined ? [uid] : [uid, other], patienceMs);
      } finally {
        notices.tellContacts(changed);
      }
    },
    forgetContacts({ uid, other }) {
      contacts.forget(uid);
      if (other !== undefined) contacts.forget(other);
    },
    async erase(uid) {
      await contacts.changed([uid], erasePatienceMs);
      await forgetUser(redis, uid);
      await lastSeen.remove(uid);
    },
    methods: presenceMethods({ nats, contacts, told: sessions.told, lastSeen }),
    async close() {
      await due.close();
      await notices.close();
      contacts.close();
    },
  };
}
