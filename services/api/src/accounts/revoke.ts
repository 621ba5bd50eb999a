// Revocations: which tokens are refused before they run out; kept, announced to the others, known here in memory.
import { devicesList, type Revocation, subjects } from "@parley/protocol";
import { callMethod, type Logger, type NatsConnection, onNatsBack, parseJson, within } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { ApiStore, RefreshTokenDoc } from "../store.ts";
import { type Announcements, revocationKey, startAnnouncing } from "./announce.ts";
import { type TokenClaims, tokenLifeMs } from "./tokens.ts";

const pageDocuments = 1_000;
const reloadMs = 60_000;
/** Those of a replica whose clock is behind are found too. */
const skewSeconds = 300;
/** How long the answer to a revocation waits for NATS to have it. */
const announceMs = 1_000;

type Known = Map<string, Revocation>;

export interface Revoke {
  /** Every token of the device so far is refused from now on, its refresh tokens are gone, its connection is ended. */
  device(uid: string, clientId: string): Promise<void>;
  /** All devices of the user but that one. false: some may be left, as presence did not tell those it knows. */
  otherDevices(uid: string, but: string | undefined): Promise<boolean>;
  refused(claims: TokenClaims): boolean;
  /** Unix ms for a new token of the device: now, and after everything that any replica revoked, by whatever clock. */
  issueTime(uid: string, clientId: string): Promise<number>;
  /** All that still matter, by pages; `next` is the `after` of the page to follow. */
  list(after: string, limit: number): { revocations: Revocation[]; next: string | null };
  /** Waits for announcements under way. */
  close(): Promise<void>;
}

/** Loads what is kept, announces what may not have been, and follows what other replicas announce. */
export async function startRevoke(parts: { store: ApiStore; nats: NatsConnection; log: Logger }): Promise<Revoke> {
  const { store, nats, log } = parts;
  const known: Known = new Map();
  const announcements = startAnnouncing(parts);
  const subscription = nats.subscribe(subjects.revoked, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "subscription_failed", subject: subjects.revoked, err: error });
      try {
        remember(known, parseJson(message.data) as Revocation);
      } catch (err) {
        log.error({ event: "revocation_unreadable", err });
      }
    },
  });
  for await (const { doc } of kept(store, { index: "until", after: Date.now() / 1000 })) {
    const revocation = remember(known, doc);
    if (doc.announced) continue;
    await endFamilies(store, revocation);
    void announcements.add(revocation);
  }
  const reloading = startReloading(parts, known);
  const device = (uid: string, clientId: string) => revokeDevice(store, { known, announcements }, uid, clientId);
  return {
    device,
    async otherDevices(uid, but) {
      const { devices, all } = await devicesOf(parts, uid);
      for (const clientId of devices) if (clientId !== but) await device(uid, clientId);
      return all;
    },
    refused: ({ uid, clientId, iat }) =>
      [revocationKey({ uid, clientId }), revocationKey({ uid })].some((key) => iat < (known.get(key)?.before ?? 0)),
    async issueTime(uid, clientId) {
      const revoked = await store.revocations.getMany([revocationKey({ uid, clientId }), revocationKey({ uid })]);
      const latest = [...revoked.values()].map(({ doc }) => Math.ceil(doc.before * 1000));
      return Math.max(Date.now(), ...latest);
    },
    list: (after, limit) => listKnown(known, after, limit),
    async close() {
      await reloading.close();
      if (!nats.isClosed()) subscription.unsubscribe();
      await announcements.close();
    },
  };
}

/** Events are told once: what other replicas revoked while NATS was away is read from the store, then and every minute. */
function startReloading({ store, nats, log }: { store: ApiStore; nats: NatsConnection; log: Logger }, known: Known) {
  let since = Date.now() / 1000;
  let running: Promise<void> = Promise.resolve();
  const reload = async () => {
    const from = Date.now() / 1000;
    for await (const { doc } of kept(store, { index: "before", after: since - skewSeconds })) remember(known, doc);
    since = from;
  };
  const turn = () => {
    running = running
      .then(reload)
      .catch((err: unknown) => log.warn({ event: "revocations_not_reloaded", reason: String(err) }));
  };
  const timer = setInterval(turn, reloadMs);
  const forget = onNatsBack(nats, turn);
  return {
    async close() {
      clearInterval(timer);
      forget();
      await running;
    },
  };
}

async function revokeDevice(
  store: ApiStore,
  { known, announcements }: { known: Known; announcements: Announcements },
  uid: string,
  clientId: string,
): Promise<void> {
  const revocation = await keepRevocation(store, { uid, clientId });
  remember(known, revocation);
  // Who is answered that it is revoked finds it refused by every replica that hears NATS.
  await within(announceMs, announcements.add(revocation));
}

/**
 * The revocation is kept before the families of refresh tokens go: who dies in between finds it at the next start. A
 * refresh under way moves its family on; what it issued is newer then, and is cut off too.
 */
async function keepRevocation(store: ApiStore, of: { uid: string; clientId: string }): Promise<Revocation> {
  // Clocks of replicas differ: what another one issued "later" than now counts as before.
  let newest = Date.now();
  let revocation = await putRevocation(store, of, newest);
  for (;;) {
    const families = await refreshTokensOf(store, [of.uid, of.clientId]);
    const latest = Math.max(newest, ...families.map(({ doc }) => doc.issuedAt));
    if (latest > newest) revocation = await putRevocation(store, of, latest);
    newest = latest;
    for (const { key, version } of families) await store.refreshTokens.remove(key, version);
    if (families.length === 0) return revocation;
  }
}

/** Only ever moves `before` on: another replica may be revoking the same device. */
async function putRevocation({ revocations }: ApiStore, of: { uid: string; clientId: string }, newestMs: number) {
  const key = revocationKey(of);
  for (;;) {
    const kept = await revocations.get(key);
    const before = Math.max((newestMs + 1) / 1000, kept?.doc.before ?? 0);
    const revocation: Revocation = { ...of, before, until: before + tokenLifeMs / 1000 };
    const doc = { ...revocation, announced: false };
    const written = kept ? await revocations.update(key, doc, kept.version) : await revocations.insert(key, doc);
    if (written) return revocation;
  }
}

/** What a replica that died while it revoked left behind. */
async function endFamilies(store: ApiStore, { uid, clientId, before }: Revocation): Promise<void> {
  const equals = clientId === undefined ? [uid] : [uid, clientId];
  for (const { key, doc, version } of await refreshTokensOf(store, equals))
    if (doc.issuedAt / 1000 < before) await store.refreshTokens.remove(key, version);
}

// Devices that hold tokens, and those presence knows: they may have connected by password.
async function devicesOf({ store, nats, log }: { store: ApiStore; nats: NatsConnection; log: Logger }, uid: string) {
  const devices = new Set<string>();
  for (const { doc } of await refreshTokensOf(store, [uid])) devices.add(doc.clientId);
  try {
    const listed = await callMethod(nats, devicesList, { uid, via: "service" }, {}, { timeoutMs: 2_000 });
    for (const { clientId } of listed.devices) devices.add(clientId);
    return { devices, all: true };
  } catch (error) {
    log.warn({ event: "devices_unknown", uid, reason: String(error) });
    return { devices, all: false };
  }
}

async function refreshTokensOf({ refreshTokens }: ApiStore, equals: string[]) {
  const found: Versioned<RefreshTokenDoc>[] = [];
  let page: string | null | undefined;
  do {
    const query = { index: "device", equals, limit: pageDocuments, ...(page ? { page } : {}) };
    const { items, next } = await refreshTokens.find(query);
    found.push(...items);
    page = next;
  } while (page);
  return found;
}

async function* kept({ revocations }: ApiStore, where: { index: "until" | "before"; after: number }) {
  let page: string | null | undefined;
  do {
    const query = { ...where, limit: pageDocuments, ...(page ? { page } : {}) };
    const { items, next } = await revocations.find(query);
    yield* items;
    page = next;
  } while (page);
}

function remember(known: Known, { uid, clientId, before, until }: Revocation): Revocation {
  if (typeof uid !== "string" || typeof before !== "number" || typeof until !== "number")
    throw new TypeError("a revocation names uid, before and until");
  const revocation: Revocation = { uid, ...(clientId === undefined ? {} : { clientId }), before, until };
  const key = revocationKey(revocation);
  if ((known.get(key)?.before ?? 0) < before) known.set(key, revocation);
  return revocation;
}

function listKnown(known: Known, after: string, limit: number) {
  const now = Date.now() / 1000;
  for (const [key, { until }] of known) if (until < now) known.delete(key);
  const keys = [...known.keys()].filter((key) => key > after).sort();
  const page = keys.slice(0, limit);
  return {
    revocations: page.map((key) => known.get(key) as Revocation),
    next: keys.length > limit ? (page.at(-1) ?? null) : null,
  };
}
