// Tells a user's contacts that the user came, went or changed; and a new device who of its user's contacts is there.
import type { ContactsChanged, NotifyRequest, PresenceNotice } from "@parley/protocol";
import { subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, natsConnected, openTurns } from "@parley/runtime";
import type { Told } from "../sessions/change.ts";
import type { Contacts } from "./contacts.ts";
import type { Due } from "./due.ts";
import type { LastSeen } from "./last-seen.ts";
import { noticeOf } from "./seen.ts";

export interface Notices {
  /** Tells those of the user's contacts who are connected. Rejects when it could not be told or kept. */
  tell(due: Due): Promise<void>;
  /** After a while, tells the device which of its user's contacts are online. */
  greet(uid: string, clientId: string): void;
  /** Tells the device, active again, how all of its user's contacts are: it was told of no change meanwhile. */
  wake(uid: string, clientId: string): void;
  /** Tells the two who became each other's contact how the other is; who no longer are sees the other offline. */
  tellContacts(changed: ContactsChanged): void;
  close(): Promise<void>;
}

export interface NoticesOptions {
  nats: NatsConnection;
  contacts: Contacts;
  lastSeen: LastSeen;
  /** how users with a session are there */
  told(uids: readonly string[]): Promise<Map<string, Told>>;
  greetDelayMs: number;
  log: Logger;
}

const atOnce = 16;
const waitingJobs = 20_000;
/** Notices in one request to a router. */
const noticesAtOnce = 200;

/** Best effort, as all that is ephemeral: what api or Redis does not answer is not told. */
export function openNotices({ nats, contacts, lastSeen, told, greetDelayMs, log }: NoticesOptions): Notices {
  const turns = openTurns({ atOnce, waitingMax: waitingJobs });
  const running = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  let closed = false;

  async function start(job: () => Promise<void>): Promise<void> {
    const done = await turns.take({ isWanted: () => !closed });
    if (!done) return;
    const work = job()
      .catch((error: unknown) => log.debug({ event: "not_told", reason: String(error) }))
      .finally(() => {
        running.delete(work);
        done();
      });
    running.add(work);
  }

  function notify(request: NotifyRequest): void {
    if (natsConnected(nats)) nats.publish(subjects.notify, JSON.stringify(request));
  }

  async function tellDevice(uid: string, clientId: string, isWanted: typeof isOnline): Promise<void> {
    const { uids } = await contacts.of(uid);
    const states = await told(uids);
    const notices = uids.map((contact) => noticeOf(contact, states.get(contact))).filter(isWanted);
    for (let from = 0; from < notices.length; from += noticesAtOnce) {
      const [packet, ...more] = notices.slice(from, from + noticesAtOnce);
      if (packet) notify({ device: { uid, clientId }, channel: "e", packet, more });
    }
  }

  async function tellBoth({ uid, other, areContacts }: ContactsChanged): Promise<void> {
    if (other === undefined) return;
    const states = await told([uid, other]);
    for (const [about, to] of [
      [uid, other],
      [other, uid],
    ] as const) {
      const notice = noticeOf(about, areContacts ? states.get(about) : undefined);
      // A new contact who is not there is offline to the other already.
      if (states.has(to) && (isOnline(notice) || !areContacts)) notify({ uids: [to], channel: "e", packet: notice });
    }
  }

  return {
    async tell({ uid, state, leftAt }) {
      const kept = state ? undefined : lastSeen.keep(uid, leftAt);
      kept?.catch(() => undefined);
      const { uids, lastSeen: privacy } = await contacts.of(uid);
      const connected = [...(await told(uids)).keys()];
      const packet = noticeOf(uid, state, privacy === "nobody" ? null : leftAt);
      if (connected.length > 0) notify({ uids: connected, channel: "e", packet });
      await kept;
    },
    greet(uid, clientId) {
      if (timers.size >= waitingJobs) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        void start(() => tellDevice(uid, clientId, isOnline));
      }, greetDelayMs);
      timers.add(timer);
    },
    wake: (uid, clientId) => void start(() => tellDevice(uid, clientId, () => true)),
    tellContacts: (changed) => void start(() => tellBoth(changed)),
    async close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(running);
    },
  };
}

function isOnline({ show }: PresenceNotice): boolean {
  return show !== "offline";
}
