// Revocations: which tokens are refused before they run out; kept, announced to the others, known here in memory.
import { isRevokedBy, type PasswordChange, type Revocation, revocationKey, subjects } from "@parley/protocol";
import {
  type Logger,
  type NatsConnection,
  onNatsBack,
  openRevocationList,
  type Pass,
  parseJson,
  type RevocationList,
  readRevocation,
  within,
} from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { ApiStore, RefreshTokenDoc } from "../store.ts";
import { type Announcements, startAnnouncing } from "./announce.ts";
import { credentialOf, familiesOf } from "./families.ts";
import { type TokenClaims, tokenLifeMs } from "./tokens.ts";

const pageDocuments = 1_000;
const reloadMs = 60_000;
/** Those of a replica whose clock is behind are found too. */
const skewSeconds = 300;
/** How long the answer to a revocation waits for NATS to have it. */
const announceMs = 1_000;
/** A token that was being made while the password was changed ends a little later than those before. */
const passwordRevocationSeconds = (tokenLifeMs + 3_600_000) / 1000;

export interface Revoke {
  /** Every token of the device so far is refused from now on, its refresh tokens are gone, its connection is ended. */
  device(uid: string, clientId: string): Promise<void>;
  /** The same of every device of the user. */
  user(uid: string): Promise<void>;
  /**
   * The same of all that was made under an earlier password, but of the login that changed it. The change must be made.
   * Done again it does nothing more.
   */
  earlierPasswords(uid: string, change: PasswordChange): Promise<void>;
  refused(claims: TokenClaims): boolean;
  /** Unix ms for a new token of the device: now, and after everything that any replica revoked, by whatever clock. */
  issueTime(uid: string, clientId: string): Promise<number>;
  /** All that still matter, by pages; `next` is the `after` of the page to follow. */
  list(after: string, limit: number): { revocations: Revocation[]; next: string | null };
  /** Waits for announcements under way. */
  close(): Promise<void>;
}

/** Loads what is kept, announces what may not have been, and follows what other replicas announce. */
export async function startRevoke(parts: {
  store: ApiStore;
  nats: NatsConnection;
  log: Logger;
  /** marks a point where a test can end the process */
  pass: Pass;
}): Promise<Revoke> {
  const { store, nats, log, pass } = parts;
  const known = openRevocationList();
  const announcements = startAnnouncing(parts);
  const subscription = nats.subscribe(subjects.revoked, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "subscription_failed", subject: subjects.revoked, err: error });
      try {
        known.add(parseJson(message.data) as Revocation);
      } catch (err) {
        log.error({ event: "revocation_unreadable", err });
      }
    },
  });
  for await (const { doc } of kept(store, { index: "until", after: Date.now() / 1000 })) {
    known.add(doc);
    if (doc.announced) continue;
    await endFamilies(store, doc);
    void announcements.add(readRevocation(doc));
  }
  const reloading = startReloading(parts, known);
  const revokeParts = { store, known, announcements, pass };
  return {
    device: (uid, clientId) => revokeDevices(revokeParts, { uid, clientId }),
    user: (uid) => revokeDevices(revokeParts, { uid }),
    earlierPasswords: (uid, change) => revokePassword(revokeParts, uid, change),
    refused: (claims) => known.isRevoked(claims.uid, claims),
    async issueTime(uid, clientId) {
      const revoked = await store.revocations.getMany([revocationKey({ uid, clientId }), revocationKey({ uid })]);
      const latest = [...revoked.values()].map(({ doc }) => Math.ceil(doc.before * 1000));
      return Math.max(Date.now(), ...latest);
    },
    list(after, limit) {
      known.dropExpired();
      return known.page(after, limit);
    },
    async close() {
      await reloading.close();
      if (!nats.isClosed()) subscription.unsubscribe();
      await announcements.close();
    },
  };
}

/** Events are told once: what other replicas revoked while NATS was away is read from the store, then and every minute. */
function startReloading(
  { store, nats, log }: { store: ApiStore; nats: NatsConnection; log: Logger },
  known: RevocationList,
) {
  let since = Date.now() / 1000;
  let running: Promise<void> = Promise.resolve();
  const reload = async () => {
    const from = Date.now() / 1000;
    for await (const { doc } of kept(store, { index: "before", after: since - skewSeconds })) known.add(doc);
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

interface RevokeParts {
  store: ApiStore;
  known: RevocationList;
  announcements: Announcements;
  pass: Pass;
}

/** One device of a user, or all. */
type Devices = Pick<Revocation, "uid" | "clientId">;

async function revokeDevices({ store, known, announcements }: RevokeParts, of: Devices) {
  const revocation = await keepRevocation(store, of);
  known.add(revocation);
  // Who is answered that it is revoked finds it refused by every replica that hears NATS.
  await within(announceMs, announcements.add(revocation));
}

/** Only what tokens and connections are told is left to do: the user's document ends the families of refresh tokens already. */
async function revokePassword(parts: RevokeParts, uid: string, password: PasswordChange): Promise<void> {
  const { store, known, announcements, pass } = parts;
  const revocation = await keepPasswordRevocation(store, uid, password);
  pass("before-announcement");
  known.add(revocation);
  await within(announceMs, announcements.add(revocation));
  await endFamilies(store, revocation);
}

/** Only ever moves on to a later change: another replica may have kept one. */
async function keepPasswordRevocation({ revocations }: ApiStore, uid: string, password: PasswordChange) {
  const before = (Date.now() + 1) / 1000;
  const revocation: Revocation = { uid, before, until: before + passwordRevocationSeconds, password };
  const key = revocationKey(revocation);
  for (;;) {
    const kept = await revocations.get(key);
    if (kept && (kept.doc.password?.since ?? 0) >= password.since) return readRevocation(kept.doc);
    const doc = { ...revocation, announced: false };
    const written = kept ? await revocations.update(key, doc, kept.version) : await revocations.insert(key, doc);
    if (written) return revocation;
  }
}

/**
 * The revocation is kept before the families of refresh tokens go: who dies in between finds it at the next start. A
 * refresh under way moves its family on; what it issued is newer then, and is cut off too.
 */
async function keepRevocation(store: ApiStore, of: Devices): Promise<Revocation> {
  // Clocks of replicas differ: what another one issued "later" than now counts as before.
  let newest = Date.now();
  let revocation = await putRevocation(store, of, newest);
  for (;;) {
    const families = await allFamiliesOf(store, of);
    const latest = Math.max(newest, ...families.map(({ doc }) => doc.issuedAt));
    if (latest > newest) revocation = await putRevocation(store, of, latest);
    newest = latest;
    for (const { key, version } of families) await store.refreshTokens.remove(key, version);
    if (families.length === 0) return revocation;
  }
}

/** Only ever moves `before` on: another replica may be revoking the same device. */
async function putRevocation({ revocations }: ApiStore, of: Devices, newestMs: number) {
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

/** Removes the families that are ended: also what a replica that died while it revoked left behind. */
async function endFamilies(store: ApiStore, revocation: Revocation): Promise<void> {
  for (const family of await allFamiliesOf(store, revocation))
    if (isRevokedBy(credentialOf(family), revocation)) await store.refreshTokens.remove(family.key, family.version);
}

async function allFamiliesOf(store: ApiStore, of: Devices): Promise<Versioned<RefreshTokenDoc>[]> {
  const found: Versioned<RefreshTokenDoc>[] = [];
  for await (const families of familiesOf(store, of)) found.push(...families);
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
