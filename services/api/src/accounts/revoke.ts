// Revocations: which tokens are refused before they run out; kept, announced to the others, known here in memory.
import { type Caller, devicesList, type Revocation, subjects } from "@parley/protocol";
import { callMethod, type Logger, type NatsConnection, natsConnected } from "@parley/runtime";
import type { ApiStore, RefreshTokenDoc } from "../store.ts";
import { type TokenClaims, tokenLifeMs } from "./tokens.ts";

const pageDocuments = 1_000;

export interface Revoke {
  /** Every token of the device so far is refused from now on, its refresh tokens are gone, its connection is ended. */
  device(uid: string, clientId: string): Promise<void>;
  /** All devices of the caller but the calling one. */
  otherDevices(caller: Caller): Promise<void>;
  refused(claims: TokenClaims): boolean;
  /** Unix ms for a new token of the device: now, and after everything that was revoked. */
  issueTime(uid: string, clientId: string): number;
  /** All that still matter, by pages; `next` is the `after` of the page to follow. */
  list(after: string, limit: number): { revocations: Revocation[]; next: string | null };
  /** Waits for announcements under way. */
  close(): Promise<void>;
}

/** Loads what is kept, announces what may not have been, and follows what other replicas announce. */
export async function startRevoke(parts: { store: ApiStore; nats: NatsConnection; log: Logger }): Promise<Revoke> {
  const { store, nats, log } = parts;
  const known = new Map<string, Revocation>();
  const subscription = nats.subscribe(subjects.revoked, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "subscription_failed", subject: subjects.revoked, err: error });
      remember(known, message.json<Revocation>());
    },
  });
  let announcing: Promise<unknown> = Promise.resolve();
  const announce = (revocation: Revocation) => {
    announcing = Promise.all([announcing, announceOne(parts, revocation)]);
  };
  for await (const { doc } of kept(store)) {
    remember(known, doc);
    if (!doc.announced) announce(doc);
  }
  const device = (uid: string, clientId: string) => revokeDevice(store, { known, announce }, uid, clientId);
  return {
    device,
    async otherDevices(caller) {
      for (const clientId of await devicesOf(parts, caller.uid))
        if (clientId !== caller.clientId) await device(caller.uid, clientId);
    },
    refused: ({ uid, clientId, iat }) =>
      [keyOf(uid, clientId), keyOf(uid)].some((key) => iat < (known.get(key)?.before ?? 0)),
    issueTime: (uid, clientId) =>
      Math.max(Date.now(), Math.ceil((known.get(keyOf(uid, clientId))?.before ?? 0) * 1000)),
    list: (after, limit) => listKnown(known, after, limit),
    async close() {
      if (!nats.isClosed()) subscription.unsubscribe();
      await announcing;
    },
  };
}

async function revokeDevice(
  store: ApiStore,
  { known, announce }: { known: Map<string, Revocation>; announce: (revocation: Revocation) => void },
  uid: string,
  clientId: string,
): Promise<void> {
  const tokens = await refreshTokensOf(store, [uid, clientId]);
  // Clocks of replicas differ: what another one issued "later" than now is cut off too.
  const newest = Math.max(Date.now(), ...tokens.map(({ doc }) => doc.issuedAt));
  const before = (newest + 1) / 1000;
  const revocation: Revocation = { uid, clientId, before, until: before + tokenLifeMs / 1000 };
  await store.revocations.put([{ key: keyOf(uid, clientId), doc: { ...revocation, announced: false } }]);
  remember(known, revocation);
  for (const { key } of tokens) await store.refreshTokens.remove(key);
  announce(revocation);
}

// Sent at once; marked as announced when NATS has it. It is kept, so what is not marked is announced at the next start.
async function announceOne(
  { store, nats, log }: { store: ApiStore; nats: NatsConnection; log: Logger },
  { uid, clientId, before, until }: Revocation,
): Promise<void> {
  const revocation: Revocation = { uid, ...(clientId === undefined ? {} : { clientId }), before, until };
  try {
    nats.publish(subjects.revoked, JSON.stringify(revocation));
    if (!natsConnected(nats)) return;
    await nats.flush();
    const key = keyOf(uid, clientId);
    const now = await store.revocations.get(key);
    if (now?.doc.before === before)
      await store.revocations.update(key, { ...revocation, announced: true }, now.version);
  } catch (err) {
    log.warn({ event: "revocation_not_announced", uid, clientId, err });
  }
}

// Devices that hold tokens, and those presence knows: they may have connected by password.
async function devicesOf({ store, nats, log }: { store: ApiStore; nats: NatsConnection; log: Logger }, uid: string) {
  const devices = new Set<string>();
  for (const { doc } of await refreshTokensOf(store, [uid])) devices.add(doc.clientId);
  try {
    const listed = await callMethod(nats, devicesList, { uid, via: "service" }, {}, { timeoutMs: 2_000 });
    for (const { clientId } of listed.devices) devices.add(clientId);
  } catch (err) {
    log.warn({ event: "devices_unknown", uid, err });
  }
  return devices;
}

async function refreshTokensOf({ refreshTokens }: ApiStore, equals: string[]) {
  const found: { key: string; doc: RefreshTokenDoc }[] = [];
  let page: string | null | undefined;
  do {
    const query = { index: "device", equals, limit: pageDocuments, ...(page ? { page } : {}) };
    const { items, next } = await refreshTokens.find(query);
    found.push(...items);
    page = next;
  } while (page);
  return found;
}

async function* kept({ revocations }: ApiStore) {
  let page: string | null | undefined;
  do {
    const query = { index: "until", after: Date.now() / 1000, limit: pageDocuments, ...(page ? { page } : {}) };
    const { items, next } = await revocations.find(query);
    yield* items;
    page = next;
  } while (page);
}

function remember(known: Map<string, Revocation>, revocation: Revocation): void {
  const key = keyOf(revocation.uid, revocation.clientId);
  const { uid, clientId, before, until } = revocation;
  if ((known.get(key)?.before ?? 0) < before)
    known.set(key, { uid, ...(clientId === undefined ? {} : { clientId }), before, until });
}

function listKnown(known: Map<string, Revocation>, after: string, limit: number) {
  const now = Date.now() / 1000;
  for (const [key, { until }] of known) if (until < now) known.delete(key);
  const keys = [...known.keys()].filter((key) => key > after).sort();
  const page = keys.slice(0, limit);
  return {
    revocations: page.map((key) => known.get(key) as Revocation),
    next: keys.length > limit ? (page.at(-1) ?? null) : null,
  };
}

function keyOf(uid: string, clientId = ""): string {
  return `${uid} ${clientId}`;
}
