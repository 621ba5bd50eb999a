// Puts auth-webhook together: NATS, Redis, tokens, revocations, the decisions, the hooks' HTTP server.
import {
  AppError,
  type ConnectedReply,
  type ConnectedRequest,
  type CredentialExpiry,
  type LoginsReply,
  type PasswordReply,
  type PasswordRequest,
  subjects,
} from "@parley/protocol";
import { type Dialect, dialects } from "@parley/protocol/dialects";
import {
  connectNats,
  connectRedis,
  counter,
  type NatsConnection,
  natsConnected,
  onNatsBack,
  openFailures,
  parseJson,
  type Redis,
  readGuests,
  requestJson,
  type Service,
  type ServiceContext,
  secretCheck,
  upTo,
} from "@parley/runtime";
import { LRUCache } from "lru-cache";
import type { AuthWebhookConfig } from "./config.ts";
import { openConnectRates } from "./connect-rates.ts";
import type { ConnectRules, Passwords } from "./connect-rules.ts";
import { openDecisions } from "./decisions.ts";
import { type Expiries, openExpiries } from "./expiries.ts";
import { startHookServer } from "./http.ts";
import { openRegister } from "./register.ts";
import { startRevocations } from "./revocations.ts";
import { openSessionTelling } from "./tell-sessions.ts";
import { openTokens } from "./tokens.ts";

const askApiMs = 2000;
const keepMs = 2000;

export async function startAuthWebhook(
  config: AuthWebhookConfig,
  context: ServiceContext,
  table: readonly Dialect[] = dialects,
): Promise<Service> {
  const { log, health, metrics, instance } = context;
  const { servicesSecret, hookSecret, signingKey } = context.secrets();
  const tokens = await openTokens(config, () => signingKey, log);
  const nats = await connectNats({ url: config.NATS_URL, name: instance, log, health });
  const redis = followRedis(config.REDIS_URL, context);
  const ensured = rememberEnsured((uid) => ensureUser(nats, uid, config.AUTH_WEBHOOK_PASSWORD_TIMEOUT_MS));
  const revocations = startRevocations(nats, log, health, ensured.forget);
  const limits = {
    perDevice: config.AUTH_WEBHOOK_DEVICE_CONNECT_RATE,
    strangers: config.AUTH_WEBHOOK_STRANGER_CONNECTS,
    failures: { ofAddress: config.AUTH_WEBHOOK_ADDRESS_FAILURES, forUser: config.AUTH_WEBHOOK_FAILURES },
  };
  const failures = openFailures({ prefix: "failures:", redis: redis.connection, log });
  const rules: ConnectRules = {
    isServicesSecret: secretCheck(servicesSecret),
    tokens,
    isRevoked: revocations.isRevoked,
    sessionExpiryMaxSeconds: config.AUTH_WEBHOOK_SESSION_EXPIRY_SECONDS,
    ensureUser: ensured.ensure,
    register: openRegister(nats, config.AUTH_WEBHOOK_PRESENCE_TIMEOUT_MS),
    rates: openConnectRates(limits, failures),
    guests: readGuests(config.GUESTS),
    dialects: table,
    userExists: async (uid) =>
      (await askOver<{ exists: boolean }>(nats, subjects.userExists, { uid }, askApiMs))?.exists,
    loginsOf: async (uid) => (await askOver<LoginsReply>(nats, subjects.logins, { uid }, askApiMs))?.logins,
    passwords: config.AUTH_WEBHOOK_PASSWORDS ? askPasswords(nats, config.AUTH_WEBHOOK_PASSWORD_TIMEOUT_MS) : undefined,
  };
  const answers = counter(metrics, "hook_decisions_total", "Decisions by hook and result.", ["hook", "result"]);
  const expiries = openExpiries(config.AUTH_WEBHOOK_MAX_AGE);
  const shared = followExpiries(nats, expiries, log);
  const publish = (subject: string, body: object) => natsConnected(nats) && nats.publish(subject, JSON.stringify(body));
  const decisions = openDecisions({
    rules,
    expiries,
    tell: openSessionTelling(publish),
    share: (expiry) => publish(subjects.credentialExpiry, expiry),
    isConnected: (clientId, connection) => isConnected(nats, { clientId, ...(connection ? { connection } : {}) }),
    keepFilters: async (change) => (await askOver<object>(nats, subjects.treeFilters, change, keepMs)) !== undefined,
    tellSurely: async (event) => (await askOver<object>(nats, subjects.sessionEvent, event, keepMs)) !== undefined,
    connectsAtOnce: config.AUTH_WEBHOOK_CONNECTS_AT_ONCE,
    log,
    count: (hook, result) => answers.inc({ hook, result }),
  });
  const letGo = async () => {
    revocations.close();
    shared.close();
    redis.close();
    // What was told is sent; a connection that is away holds nothing up.
    if (natsConnected(nats)) await context.closing("nats", () => nats.flush().catch(() => undefined));
    await nats.close();
  };
  const { AUTH_WEBHOOK_HOST: host, AUTH_WEBHOOK_PORT: port } = config;
  const server = await startHookServer({ host, port, hookSecret, decisions, log }).catch(async (error: unknown) => {
    await letGo();
    throw error;
  });
  log.info({ event: "listening", what: "hooks", host, port: server.port });
  return {
    async close() {
      await context.closing("hooks", server.close);
      await letGo();
    },
  };
}

/** Redis only counts failed logins, so nothing waits for it. */
function followRedis(url: string, { log }: ServiceContext): { connection(): Redis | undefined; close(): void } {
  let connection: Redis | undefined;
  let closed = false;
  connectRedis({ url, log }).then(
    (connected) => {
      if (closed) connected.disconnect();
      else connection = connected;
    },
    (err: unknown) => log.error({ event: "redis_failed", err }),
  );
  return {
    connection: () => connection,
    close() {
      closed = true;
      connection?.disconnect();
    },
  };
}

/** An answer over NATS, or undefined when nobody gives one. */
async function askOver<Answer>(nats: NatsConnection, subject: string, body: object, timeoutMs: number) {
  try {
    return await requestJson<Answer>(nats, subject, body, { timeoutMs });
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

async function isConnected(nats: NatsConnection, asked: ConnectedRequest): Promise<boolean | undefined> {
  return (await askOver<ConnectedReply>(nats, subjects.deviceConnected, asked, 2000))?.connected;
}

async function ensureUser(nats: NatsConnection, uid: string, timeoutMs: number): Promise<boolean | undefined> {
  return (await askOver<{ ok: boolean }>(nats, subjects.ensureUser, { uid }, timeoutMs))?.ok;
}

/** Who has not had its turn after half of the time is told so in time. */
async function verifyPassword(nats: NatsConnection, request: PasswordRequest, timeoutMs: number) {
  try {
    const asked: PasswordRequest = { ...request, waitMs: timeoutMs / 2 };
    return await requestJson<PasswordReply>(nats, subjects.verifyPassword, asked, { timeoutMs });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code === "rate_limited" ? "busy" : undefined;
  }
}

function askPasswords(nats: NatsConnection, timeoutMs: number): Passwords {
  return {
    verify: (username, password, address) => verifyPassword(nats, { username, password, address }, timeoutMs),
    unchanged: async (request) =>
      (await askOver<{ ok: boolean }>(nats, subjects.passwordUnchanged, request, timeoutMs))?.ok,
  };
}

/** A device is let in by one replica, and the others are asked what it may do. */
function followExpiries(nats: NatsConnection, expiries: Expiries, log: ServiceContext["log"]): { close(): void } {
  const subscription = nats.subscribe(subjects.credentialExpiry, {
    callback: (error, message) => {
      if (error)
        return void log.error({ event: "subscription_failed", subject: subjects.credentialExpiry, err: error });
      try {
        const { clientId, expiresAt } = parseJson(message.data) as CredentialExpiry;
        if (typeof clientId === "string") expiries.set(clientId, expiresAt ?? undefined);
      } catch (err) {
        log.error({ event: "expiry_unreadable", err });
      }
    },
  });
  const forget = onNatsBack(nats, expiries.doubt);
  return {
    close() {
      forget();
      if (!nats.isClosed()) subscription.unsubscribe();
    },
  };
}

/** Who was made once is there, and asked of api no more until all its tokens are revoked. */
function rememberEnsured(ensure: (uid: string) => Promise<boolean | undefined>) {
  const ensured = new LRUCache<string, true>(upTo(100_000));
  return {
    async ensure(uid: string) {
      if (ensured.has(uid)) return true;
      const ok = await ensure(uid);
      if (ok) ensured.set(uid, true);
      return ok;
    },
    forget: (uid: string) => void ensured.delete(uid),
  };
}
