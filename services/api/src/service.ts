// Puts api together: store, NATS, Redis, accounts, rooms, HTTP.
import type { IncomingMessage } from "node:http";
import { AppError } from "@parley/protocol";
import {
  answerBackup,
  clientAddress,
  connectNats,
  connectRedis,
  createGuard,
  gauge,
  type Logger,
  type NatsConnection,
  type Networks,
  openFailures,
  openTokenBuckets,
  type Redis,
  readGuests,
  readNetworks,
  type Service,
  type ServiceContext,
  secretCheck,
  watchCheck,
} from "@parley/runtime";
import { type Blobs, openBlobs, openStore, type Store, StoreError } from "@parley/store";
import type { FastifyInstance } from "fastify";
import { startAccounts } from "./accounts/index.ts";
import { createLoginLimits } from "./accounts/logins/login-limits.ts";
import { foldKeptNames } from "./accounts/names/names.ts";
import { createPasswords } from "./accounts/passwords.ts";
import { startRevoke } from "./accounts/revoke.ts";
import { serveAnswers } from "./answers.ts";
import type { Config } from "./config.ts";
import { startErasure } from "./erasure/index.ts";
import { connectOthers } from "./erasure/others.ts";
import { redoErasures } from "./erasure/redo.ts";
import { serveExports } from "./export/route.ts";
import { openLooks } from "./files/looks.ts";
import { openFileSockets } from "./files/resumable/file-socket.ts";
import { addUploadRoutes } from "./files/resumable/routes.ts";
import { sweepUnfinished } from "./files/resumable/uploads.ts";
import { fileMethods, serveFiles } from "./files/serve.ts";
import { connectHistory } from "./history.ts";
import { createRates } from "./http/rates.ts";
import { createServer } from "./http/server.ts";
import { passUpgrades } from "./http/upgrade.ts";
import { linkMethods } from "./links/index.ts";
import { messageMethods } from "./messages.ts";
import { startPeople } from "./people/index.ts";
import { makeMissingProfiles } from "./people/profiles.ts";
import { phoneMethods } from "./phones/index.ts";
import { createSender } from "./phones/senders.ts";
import { startPruning } from "./prune.ts";
import { createApiOnce } from "./requests.ts";
import { startFinishingRooms } from "./rooms/create.ts";
import { roomMethods } from "./rooms/index.ts";
import { startScheduled } from "./scheduled/index.ts";
import { type ApiStore, openApiStore } from "./store.ts";

export async function startApi(config: Config, context: ServiceContext): Promise<Service> {
  const { log, metrics, closing, pass } = context;
  const { signingKey, servicesSecret } = context.secrets();
  // Closed from the last to the first, also by a start that is refused.
  await using opened = new AsyncDisposableStack();
  const toClose: ToClose = (step, close) => opened.defer(() => closing(step, async () => void (await close())));
  const { kept, blobs, store, nats, redis } = await connect(config, context, toClose);
  const passwords = await createPasswords();
  const { limits, registrations, searches, previews, rates } = openLimits(config, redis, log);
  const trustedProxies = readNetworks(config.TRUSTED_PROXIES);
  const addressOf = addressReader(trustedProxies);
  gauge(metrics, "password_hashes_waiting", "logins that wait for their turn at hashing", () => passwords.waiting());
  const revoke = await startRevoke({ store, nats, log, pass });
  toClose("revocations", () => revoke.close());
  const history = connectHistory({ nats, redis, log });
  toClose("history", () => history.close());
  const parts = { store, history, nats, signingKey, pass, log, ...guestsOf(config), looks: openLooks() };
  const ofMethods = { ...parts, blobs, passwords, revoke, limits, registrations, searches, previews };
  const { methods, first } = startMethods(config, { ...ofMethods, compact: () => kept.compact() }, toClose);
  const once = createApiOnce(store, signingKey);
  const identity = { store, revoke, signingKey, isOperator: secretCheck(servicesSecret) };
  const callers = { identity, rates, addressOf };
  const server = await createServer({
    ...callers,
    ...{ metrics, nats, log, bound: methods, once, trustedProxies },
    ...httpOf(config),
  });
  const resumable = { addRoutes: addUploadRoutes, openSockets: openFileSockets, sweep: sweepUnfinished };
  const ofFiles = {
    ...{ ...parts, ...callers, config, blobs, resumable, metrics, isAlone: kept.exclusive },
    addMore: serveExports({ max: config.API_EXPORTS, metrics, nats, methods }),
  };
  const files = await serveFiles(server, ofFiles);
  toClose("files", () => files.close());
  // Nobody is served on a change of password that is half done.
  await first;
  const answers = serveAnswers({ ...parts, ...publicOf(config), passwords, revoke, methods, once });
  toClose("answers", () => answers.close());
  const upgrades = passUpgrades(server.server, {
    upstream: config.API_WS_UPSTREAM,
    addressOf,
    others: files.upgrade,
    log,
  });
  toClose("http", () => {
    // What is under way ends: it is waited for.
    upgrades.close();
    history.close();
    files.stop();
    return server.close();
  });
  await listen(server, config, log);
  const watching = watchKept(kept, blobs, nats, context);
  toClose("watching", () => watching.close());
  for (const one of [startPruning(store, log), startFinishingRooms({ store, history, pass }, log)])
    toClose("unfinished", () => one.close());
  const all = opened.move();
  return { close: () => all.disposeAsync() };
}

type ToClose = (step: string, close: () => unknown) => void;

type MethodParts = Omit<
  Parameters<typeof startAccounts>[0] &
    Parameters<typeof startErasure>[0] &
    Parameters<typeof startPeople>[0] &
    Parameters<typeof fileMethods>[0] &
    Parameters<typeof roomMethods>[0] &
    Parameters<typeof linkMethods>[0],
  keyof ReturnType<typeof accountPartsOf> | keyof ReturnType<typeof linksOf> | "others" | "directMessages"
>;

/** What api is asked by name, and what works for it beside. `first`: nobody is served before. */
function startMethods(config: Config, parts: MethodParts, toClose: ToClose) {
  const ofAccounts = { ...parts, ...accountPartsOf(config, parts.log) };
  const accounts = startAccounts(ofAccounts);
  toClose("accounts", () => accounts.close());
  const erasure = startErasure({ ...parts, others: connectOthers(parts.nats) });
  toClose("erasure", () => erasure.close());
  const people = startPeople({ ...parts, directMessages: config.DIRECT_MESSAGES });
  toClose("people", () => people.close());
  const scheduled = startScheduled(parts);
  toClose("scheduled", () => scheduled.close());
  const ofUsers = [...accounts.methods, ...phoneMethods(ofAccounts), ...erasure.methods, ...people.methods];
  const ofMessages = [...messageMethods(parts), ...scheduled.methods, ...fileMethods(parts)];
  const links = linkMethods({ ...linksOf(config), previews: parts.previews });
  return { methods: [...ofUsers, ...roomMethods(parts), ...ofMessages, ...links], first: accounts.first };
}

async function connect(config: Config, { instance: name, log, health }: ServiceContext, toClose: ToClose) {
  const { kept, blobs } = await openKept(config);
  toClose("store", () => Promise.all([kept.close(), blobs.close()]));
  const store = await openApiStore(kept.documents());
  await migrate(store);
  const nats = await connectNats({ url: config.NATS_URL, name, log, health });
  toClose("nats", () => nats.close());
  // Who holds what stays known and failed logins are counted here: its absence makes nothing unready.
  const redis = await connectRedis({ url: config.REDIS_URL, name, log });
  toClose("redis", () => redis.disconnect());
  return { kept, blobs, store, nats, redis };
}

// Readiness by whether the store and the files can be written; and whoever makes a backup asks for a copy of the store.
function watchKept(
  kept: Store,
  blobs: Blobs,
  nats: NatsConnection,
  { health, log }: ServiceContext,
): { close(): void } {
  answerBackup(nats, { service: "api", store: kept, log });
  const watches = [watchCheck(health, "store", () => kept.check()), watchCheck(health, "files", () => blobs.check())];
  return { close: () => watches.forEach((watch) => void watch.close()) };
}

function addressReader(trusted: Networks) {
  return ({ socket, headers }: IncomingMessage) =>
    clientAddress(socket.remoteAddress, headers["x-forwarded-for"], trusted);
}

// What versions before kept otherwise, and what a backup may not have of history.
async function migrate(store: ApiStore): Promise<void> {
  await foldKeptNames(store);
  await makeMissingProfiles(store);
  await redoErasures(store, Date.now());
}

function httpOf(config: Config) {
  return {
    publicWs: config.API_PUBLIC_WS,
    corsOrigins: config.API_CORS_ORIGINS,
    requestsMax: config.API_REQUESTS,
    connectionsMax: config.API_CONNECTIONS,
    bodyTimeoutMs: config.API_BODY_TIMEOUT_MS,
  };
}

/** Where devices reach it, and what they may fetch there. */
function publicOf(config: Config) {
  const { API_PUBLIC_WS: ws = "", API_PUBLIC_URL: publicUrl, API_CLAMD_URL: clamd } = config;
  return { ws, publicUrl, scans: clamd !== undefined };
}

function accountPartsOf(config: Config, log: Logger) {
  const { API_CODES: how, API_CODES_FIXED: fixed, API_CODES_PER_MINUTE: perMinute } = config;
  const sends = {
    one: openTokenBuckets({ rate: 1 / 600, burst: 5, keys: 50_000 }),
    all: openTokenBuckets({ rate: perMinute / 60, burst: perMinute, keys: 1 }),
  };
  const sender = createSender({ how, fixed, log });
  return { registerAllowed: config.API_REGISTER, mqtt: mqttOf(config), sender, sends };
}

function linksOf(config: Config) {
  return { isOn: config.LINK_PREVIEWS, guard: createGuard(readNetworks(config.LINK_PREVIEW_ALLOW)) };
}

/** Names of guests, and what their topics begin with. */
function guestsOf(config: Config) {
  const guests = readGuests(config.GUESTS);
  return { guests: guests.map(({ name }) => name), guestPrefixes: guests.map(({ prefix }) => prefix) };
}

/** Where devices find MQTT over TCP. */
function mqttOf({ API_MQTT_HOST: host, API_MQTT_PORT: port }: Config) {
  return { host, port };
}

async function openKept(config: Config): Promise<{ kept: Store; blobs: Blobs }> {
  const { STORE_URL: storeUrl, BLOBS_URL: url } = config;
  const kept = await openStore(storeUrl, { service: "api" }).catch(toldPlainly);
  try {
    const blobs = await openBlobs({ service: "api", storeUrl, url }).catch(toldPlainly);
    if (config.API_FILE_LINK_SECONDS === 0 || blobs.link) return { kept, blobs };
    await blobs.close();
    throw new AppError("unavailable", "API_FILE_LINK_SECONDS: only where BLOBS_URL is s3+https://…; elsewhere it is 0");
  } catch (error) {
    await kept.close();
    throw error;
  }
}

function toldPlainly(error: unknown): never {
  throw error instanceof StoreError ? new AppError("unavailable", error.message, { cause: error }) : error;
}

function openLimits(config: Config, redis: Redis, log: ServiceContext["log"]) {
  const perMinute = config.API_REGISTRATIONS;
  return {
    limits: createLoginLimits(openFailures({ prefix: "failures:", redis: () => redis, log }), {
      ofAddress: config.API_ADDRESS_FAILURES,
      forUser: config.API_FAILURES,
    }),
    registrations: openTokenBuckets({ rate: perMinute / 60, burst: perMinute, keys: 50_000 }),
    searches: openTokenBuckets({ rate: config.API_SEARCHES / 60, burst: config.API_SEARCHES, keys: 50_000 }),
    previews: openTokenBuckets({ rate: config.API_PREVIEWS / 60, burst: config.API_PREVIEWS, keys: 50_000 }),
    rates: createRates({
      device: { rate: config.API_RATE, burst: config.API_BURST },
      stranger: { rate: config.API_ADDRESS_RATE, burst: config.API_ADDRESS_BURST },
    }),
  };
}

async function listen(server: FastifyInstance, config: Config, log: ServiceContext["log"]): Promise<void> {
  const { API_HOST: host, API_PORT: port } = config;
  try {
    await server.listen({ host, port });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "the port is taken" : (code ?? message);
    throw new AppError("unavailable", `API_PORT ${host}:${port}: ${reason}`, { cause });
  }
  const address = server.server.address();
  log.info({ event: "listening", what: "http", host, port: typeof address === "object" ? address?.port : port });
}
