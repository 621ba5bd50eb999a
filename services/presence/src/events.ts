// What the broker, the routers and api tell: sessions that begin and end, states of devices, revocations.
import {
  AppError,
  type ContactsChanged,
  type DeviceState,
  parseTreeUser,
  type Revocation,
  type SessionEvent,
  subjects,
} from "@parley/protocol";
import { type Logger, type NatsConnection, parseJson } from "@parley/runtime";
import type { BrokerClients } from "./brokers/broker.ts";
import type { Devices } from "./devices.ts";
import type { Revoked } from "./revoked.ts";
import type { Begin } from "./sessions/begin.ts";
import type { SessionChange } from "./sessions/change.ts";
import type { Sessions } from "./sessions/sessions.ts";
import type { Words } from "./sessions/words.ts";
import type { Telling } from "./tell/telling.ts";
import type { TreeAccounts } from "./trees/accounts.ts";
import type { Arrivals } from "./trees/arrivals.ts";
import type { LiveTrees } from "./trees/live.ts";

export interface EventParts {
  nats: NatsConnection;
  devices: Devices;
  change(change: SessionChange): Promise<void>;
  begin: Begin;
  words: Pick<Words, "soon">;
  telling: Pick<Telling, "changeContacts" | "forgetContacts">;
  revoked: Revoked;
  live: Pick<LiveTrees, "userOf">;
  sessions: Pick<Sessions, "ofUser">;
  accounts: Pick<TreeAccounts, "refresh">;
  arrivals: Pick<Arrivals, "arrived">;
  broker: Pick<BrokerClients, "disconnect"> | undefined;
  log: Logger;
}

const notTaken = new AppError("unavailable", "presence cannot take it now");

/**
 * Each event is one replica's; a revocation is acted on by one, and remembered by all. Who sends one as a request is answered when
 * it is taken: a state is made or waits for Redis, a change of contacts holds at every replica.
 */
export function followEvents(parts: EventParts): { close(): Promise<void> } {
  const { nats, log, revoked, telling } = parts;
  const inHand = new Set<Promise<void>>();
  const follow = (
    subject: string,
    work: (told: unknown) => Promise<void> | void,
    options: { queue?: string } = { queue: "presence" },
  ) =>
    nats.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (error) return void log.error({ event: "subscription_failed", subject, err: error });
        const taken = Promise.resolve()
          .then(() => work(parseJson(message.data)))
          .then(() => void (options.queue && message.respond("{}")))
          .catch((reason: unknown) => {
            log.warn({ event: "event_refused", subject, reason: String(reason) });
            if (options.queue) message.respond(JSON.stringify({ error: notTaken.toWire() }));
          })
          .finally(() => inHand.delete(taken));
        inHand.add(taken);
      },
    });
  const subscriptions = [
    follow(subjects.sessionEvent, (told) => takeSessions(told as SessionEvent | SessionEvent[], parts)),
    follow(subjects.deviceState, (told) => takeState(told as DeviceState, parts)),
    follow(subjects.contactsChanged, (told) => telling.changeContacts(readContacts(told as ContactsChanged))),
    follow(subjects.contactsChanged, (told) => telling.forgetContacts(readContacts(told as ContactsChanged)), {}),
    follow(subjects.accountsChanged, (told) => takeAccounts(told as { uids: string[] }, parts)),
    follow(subjects.revoked, (told) => revoked.act(readRevocation(told as Revocation))),
    follow(subjects.revoked, (told) => revoked.remember(readRevocation(told as Revocation)), {}),
  ];
  return {
    async close() {
      for (const subscription of subscriptions) subscription.unsubscribe();
      await Promise.allSettled(inHand);
    },
  };
}

/** What is wrong with one of a list is nobody else's affair. */
async function takeSessions(told: SessionEvent | SessionEvent[], parts: EventParts): Promise<void> {
  if (!Array.isArray(told)) return takeSession(told, parts);
  const refuse = (reason: unknown) =>
    parts.log.warn({ event: "event_refused", subject: subjects.sessionEvent, reason: String(reason) });
  await Promise.all(told.map((one) => takeSession(one, parts).catch(refuse)));
}

async function takeSession(told: SessionEvent, parts: EventParts): Promise<void> {
  const { devices, live, change, broker, log } = parts;
  const { event, clientId, at } = told;
  if (typeof clientId !== "string" || !Number.isFinite(at)) throw new TypeError("an event names clientId and at");
  // Whose it is: as the broker says, as its tree is known, or as its client id says.
  const inTree = told.tree === false ? undefined : await live.userOf(clientId).catch(() => undefined);
  const uid = (typeof told.user === "string" ? told.user : inTree) ?? (await devices.ownerOf(clientId));
  if (uid === undefined) return;
  if (event === "connected") await takeConnected(told, { uid, isInTree: uid === inTree }, parts);
  else if (event === "offline" || event === "gone" || event === "expired") {
    await change({ op: "end", uid, clientId, at, ...connectionOf(told) });
  } else if (event === "misplaced") {
    log.error({ event: "tree_without_mountpoint", clientId, reason: "the broker's listener has no mountpoint" });
    await broker?.disconnect(clientId);
  } else throw new TypeError(`unknown event ${String(event).slice(0, 40)}`);
}

async function takeConnected(
  told: SessionEvent,
  { uid, isInTree }: { uid: string; isInTree: boolean },
  { devices, begin, revoked, arrivals }: EventParts,
): Promise<void> {
  const { clientId, at, present, persistent } = told;
  const isNobodys = parseTreeUser(uid).owner !== "user";
  const begun: SessionChange = { op: "connected", uid, clientId, at, ...connectionOf(told) };
  if (typeof present === "boolean") begun.present = present;
  if (typeof persistent === "boolean") begun.persistent = persistent;
  if (isNobodys || isInTree || (await devices.claim(clientId, uid))) await begin(begun);
  if (!isNobodys) revoked.connected(uid, clientId);
  if (isInTree) arrivals.arrived(clientId);
}

function connectionOf({ connection }: SessionEvent): { connection?: string } {
  return typeof connection === "string" ? { connection } : {};
}

/** Which of their devices may act for whom is asked anew. */
async function takeAccounts({ uids }: { uids: string[] }, { sessions, accounts }: EventParts): Promise<void> {
  const connected = await Promise.all(
    uids.map(async (uid) => [...(await sessions.ofUser(uid)).keys()].map((clientId) => ({ uid, clientId }))),
  );
  accounts.refresh(connected.flat());
}

async function takeState(told: DeviceState, { change, devices, words }: EventParts): Promise<void> {
  const { uid, clientId, at = Date.now(), by, active, show, status, kind, login } = told;
  if (typeof uid !== "string" || typeof clientId !== "string") throw new TypeError("a state names uid and clientId");
  if (!Number.isFinite(at)) throw new TypeError("the time of a state is a number");
  if (kind !== undefined) devices.note(clientId, login ? { uid, kind } : { kind });
  if (active === undefined && show === undefined && status === undefined) return;
  const state: SessionChange = { op: "state", uid, clientId, at };
  if (by !== undefined) state.by = by;
  if (active !== undefined) state.active = active;
  if (show !== undefined) state.show = show === "chat" ? "online" : show;
  if (status !== undefined) state.status = status;
  await change(state);
  if (show !== undefined) words.soon();
}

function readContacts(changed: ContactsChanged): ContactsChanged {
  const { uid, other, areContacts } = changed ?? {};
  const isPair = typeof other === "string" && typeof areContacts === "boolean";
  if (typeof uid !== "string" || (!isPair && other !== undefined))
    throw new TypeError("a change of contacts names uid, and of two other and areContacts");
  return changed;
}

function readRevocation(revocation: Revocation): Revocation {
  if (typeof revocation?.uid !== "string" || !Number.isFinite(revocation.before))
    throw new TypeError("a revocation names uid and before");
  return revocation;
}
