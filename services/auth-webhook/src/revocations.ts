// Which tokens are refused before they expire: loaded from api, followed over NATS.
import { type Revocation, subjects } from "@parley/protocol";
import { type Health, type Logger, loadRevocations, type NatsConnection, onNatsBack, parseJson } from "@parley/runtime";
import type { TokenClaims } from "./tokens.ts";

export interface Revocations {
  /** undefined: not loaded yet, so nothing may be believed */
  isRevoked(claims: TokenClaims): boolean | undefined;
  close(): void;
}

const reloadMs = 60_000;
const retryMs = 500;
const sayAgainMs = 10_000;

/** Loads in the background, again when NATS was away and every minute, and says what it waits for. */
export function startRevocations(nats: NatsConnection, log: Logger, health: Health): Revocations {
  const list = new RevocationList();
  let loaded = false;
  let saidAt = Number.NEGATIVE_INFINITY;
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
    clearTimeout(timer);
    let waitMs = reloadMs;
    try {
      let count = 0;
      for await (const revocation of loadRevocations(nats)) {
        list.add(revocation);
        count += 1;
      }
      if (!loaded) log.info({ event: "revocations_loaded", count });
      loaded = true;
    } catch (error) {
      waitMs = retryMs;
      const reason = error instanceof Error ? error.message : String(error);
      if (!loaded && performance.now() - saidAt >= sayAgainMs) {
        saidAt = performance.now();
        log.warn({ event: "waiting", what: "api", reason });
      }
    }
    list.dropExpired();
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void load(), waitMs);
  }
  void load();
  const forget = onNatsBack(nats, () => void load());
  return {
    isRevoked: (claims) => (loaded ? list.has(claims) : undefined),
    close() {
      closed = true;
      forget();
      clearTimeout(timer);
      if (!nats.isClosed()) subscription.unsubscribe();
    },
  };
}

/** Revocations by user, and within by device; "" is every device of the user. */
class RevocationList {
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
