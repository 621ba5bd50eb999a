// What is said of presence, and to whom: each with what is so at that moment.
import { type NotifyRequest, type PresenceNotice, subjects } from "@parley/protocol";
import { type NatsConnection, natsConnected, type Redis, within } from "@parley/runtime";
import type { Told } from "../sessions/change.ts";
import { pacedPrefix } from "../sessions/keys.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Contacts } from "./contacts.ts";
import type { Due } from "./due.ts";
import type { LastSeen } from "./last-seen.ts";
import { noticeOf } from "./seen.ts";

export interface SayParts {
  nats: NatsConnection;
  redis: Redis;
  contacts: Contacts;
  lastSeen: LastSeen;
  sessions: Pick<Sessions, "of" | "told">;
  /** of two who became each other's contact, or no longer are, each is told this often at most */
  paceMs: number;
}

/** Notices in one request to a router. */
const noticesAtOnce = 200;
const flushMs = 1000;

/** To those of the user's contacts who are connected: how it is. Resolves with that; undefined: it is offline. */
export async function sayUser(parts: SayParts, { uid, leftAt, isLate }: Due): Promise<Told | undefined> {
  const { nats, contacts, lastSeen } = parts;
  return contacts.with(uid, async ({ lastSeen: privacy, isGone, states, own }) => {
    if (isLate() || !natsConnected(nats)) throw new Error("too late, or NATS is away");
    const state = own?.show === "invisible" ? undefined : own;
    const packet = noticeOf(uid, state, privacy === "nobody" ? null : leftAt);
    if (states.size > 0) notify(nats, { uids: [...states.keys()], channel: "e", packet });
    await Promise.all([
      states.size > 0 ? flushed(nats) : undefined,
      state || isGone ? undefined : lastSeen.keep(uid, leftAt),
    ]);
    return state;
  });
}

/** To a device: how its user's contacts are, all of them or those who are online. One that is inactive is told when it wakes. */
export async function sayContacts(
  { nats, contacts, sessions }: SayParts,
  { uid, clientId, all }: { uid: string; clientId: string; all: boolean },
): Promise<true> {
  // Whoever becomes its contact meanwhile is told of by that.
  if (await contacts.hasNone(uid)) return true;
  if ((await sessions.of(uid, clientId))?.active === false) return true;
  await contacts.with(uid, async ({ uids, states }) => {
    const every = uids.map((contact) => noticeOf(contact, states.get(contact)));
    const notices = all ? every : every.filter(isOnline);
    for (let from = 0; from < notices.length; from += noticesAtOnce) {
      const [packet, ...more] = notices.slice(from, from + noticesAtOnce);
      if (packet) notify(nats, { device: { uid, clientId }, channel: "e", packet, more });
    }
    if (notices.length > 0) await flushed(nats);
  });
  return true;
}

/** To two who became each other's contact, or no longer are: how the other is. false: they were told a moment ago. */
export async function sayBoth(
  { nats, redis, contacts, sessions, paceMs }: SayParts,
  uid: string,
  other: string,
): Promise<boolean> {
  const key = `${pacedPrefix}${pairOf(uid, other)}`;
  if (paceMs > 0 && (await redis.set(key, 1, "PX", paceMs, "NX")) === null) return false;
  const there = await sessions.told([other]);
  await contacts.with(uid, async ({ uids, states, own }) => {
    const areContacts = uids.includes(other);
    const say = (to: string, about: string, state: Told | undefined) => {
      const notice = noticeOf(about, areContacts ? state : undefined);
      // A new contact who is not there is offline to the other already.
      if (isOnline(notice) || !areContacts) notify(nats, { uids: [to], channel: "e", packet: notice });
    };
    if (there.has(other)) say(other, uid, own);
    if (own !== undefined) say(uid, other, states.get(other));
    await flushed(nats);
  });
  return true;
}

export function pairOf(one: string, other: string): string {
  return [one, other].sort().join("/");
}

function notify(nats: NatsConnection, request: NotifyRequest): void {
  if (natsConnected(nats)) nats.publish(subjects.notify, JSON.stringify(request));
}

// Whoever waits for what is told just now waits for the router to have it.
async function flushed(nats: NatsConnection): Promise<void> {
  if (natsConnected(nats)) await within(flushMs, nats.flush());
}

function isOnline({ show }: PresenceNotice): boolean {
  return show !== "offline";
}
