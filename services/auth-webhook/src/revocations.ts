// Which tokens are refused before they expire: loaded from api, followed over NATS.
import { type Revocation, subjects } from "@parley/protocol";
import { type Health, type Logger, type NatsConnection, parseJson, requestJson } from "@parley/runtime";
import type { TokenClaims } from "./tokens.ts";

export interface Revocations {
  /** undefined: not loaded yet, so nothing may be believed */
  isRevoked(claims: TokenClaims): boolean | undefined;
  close(): void;
}

const reloadMs = 60_000;
const retryMs = 500;
const sayAgainMs = 10_000;

/** Loads in the background, again every minute (an event may be lost while NATS is away), and says what it waits for. */
export function startRevocations(nats: NatsConnection, log: Logger, health: Health): Revocations {
  const list = new RevocationList();
  let loaded = false;
  let saidAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  health.check("revocations", () => loaded || "waiting for api to answer tokens.revocations");
  const subscription = nats.subscribe(subjects.revoked, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "subscription_failed", subject: subjects.revoked, err: error });
      try {
        list.add(parseJson(message.data) as Revocation);
      } catch (err) {
        log.error({ event: "revocation_unreadable", err });
      }
    },
  });
  async function load(): Promise<void> {
    try {
      const count = await loadPages(nats, list);
      if (!loaded) log.info({ event: "revocations_loaded", count });
      loaded = true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!loaded && Date.now() - saidAt >= sayAgainMs) {
        saidAt = Date.now();
        log.warn({ event: "waiting", what: "api", reason });
      }
    }
    list.dropExpired();
    if (!closed) timer = setTimeout(() => void load(), loaded ? reloadMs : retryMs);
  }
  void load();
  return {
    isRevoked: (claims) => (loaded ? list.has(claims) : undefined),
    close() {
      closed = true;
      clearTimeout(timer);
      if (!nats.isClosed()) subscription.unsubscribe();
    },
  };
}

async function loadPages(nats: NatsConnection, list: RevocationList): Promise<number> {
  let count = 0;
  for (let after: string | null = ""; after !== null; ) {
    const page: { revocations: Revocation[]; next: string | null } = await requestJson(
      nats,
      subjects.revocations,
      { after },
      { timeoutMs: 5000 },
    );
    for (const revocation of page.revocations) list.add(revocation);
    count += page.revocations.length;
    after = page.next ?? null;
  }
  return count;
}

/** Revocations by user, and within by device; "" is every device of the user. */
export class RevocationList {
  readonly #byUid = new Map<string, Map<string, Revocation>>();

  add(revocation: Revocation): void {
    const { uid, clientId = "", before, until } = revocation;
    if (typeof uid !== "string" || typeof before !== "number" || typeof until !== "number")
      throw new TypeError("a revocation names uid, before and until");
    const devices = this.#byUid.get(uid) ?? new Map<string, Revocation>();
    const known = devices.get(clientId);
    const latest = { uid, before: Math.max(before, known?.before ?? 0), until: Math.max(until, known?.until ?? 0) };
    devices.set(clientId, latest);
    this.#byUid.set(uid, devices);
  }

  has({ sub, clientId = "", iat }: TokenClaims, now = Date.now() / 1000): boolean {
    const devices = this.#byUid.get(sub);
    if (!devices) return false;
    return [devices.get(""), devices.get(clientId)].some((one) => one && one.until > now && iat < one.before);
  }

  dropExpired(now = Date.now() / 1000): void {
    for (const [uid, devices] of this.#byUid) {
      for (const [clientId, { until }] of devices) if (until <= now) devices.delete(clientId);
      if (devices.size === 0) this.#byUid.delete(uid);
    }
  }
}
