// Which tokens are refused before they expire: loaded from api, followed over NATS.
import { type Credential, type Revocation, subjects } from "@parley/protocol";
import {
  type Health,
  type Logger,
  loadRevocations,
  type NatsConnection,
  onNatsBack,
  openReminders,
  openRevocationList,
  parseJson,
  pauseWhileWaiting,
} from "@parley/runtime";

export interface Revocations {
  /** undefined: not loaded yet, so nothing may be believed */
  isRevoked(uid: string, credential: Credential): boolean | undefined;
  close(): void;
}

const reloadMs = 60_000;
const retryMs = 500;

/** Loads in the background, again when NATS was away and every minute, and says what it waits for. */
export function startRevocations(
  nats: NatsConnection,
  log: Logger,
  health: Health,
  /** All tokens of a user were revoked, as of one who is disabled. */
  onUser: (uid: string) => void,
): Revocations {
  const list = openRevocationList();
  const add = (revocation: Revocation) => {
    list.add(revocation);
    if (revocation.clientId === undefined && revocation.password === undefined) onUser(revocation.uid);
  };
  const startedAt = performance.now();
  let loaded = false;
  const reminders = openReminders();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  health.check("revocations", () => loaded || "waiting for api to answer tokens.revocations");
  const subscription = nats.subscribe(subjects.revoked, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "subscription_failed", subject: subjects.revoked, err: error });
      try {
        add(parseJson(message.data) as Revocation);
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
        add(revocation);
        count += 1;
      }
      if (!loaded) log.info({ event: "revocations_loaded", count });
      loaded = true;
    } catch (error) {
      waitMs = loaded ? retryMs : pauseWhileWaiting(performance.now() - startedAt, retryMs);
      const reason = error instanceof Error ? error.message : String(error);
      if (!loaded && reminders.isDue("api")) log.warn({ event: "waiting", what: "api", reason });
    }
    list.dropExpired();
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void load(), waitMs);
  }
  void load();
  const forget = onNatsBack(nats, () => void load());
  return {
    isRevoked: (uid, credential) => (loaded ? list.isRevoked(uid, credential) : undefined),
    close() {
      closed = true;
      forget();
      clearTimeout(timer);
      if (!nats.isClosed()) subscription.unsubscribe();
    },
  };
}
