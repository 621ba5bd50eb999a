// Puts presence together: NATS, Redis, the store of devices, sessions, notices, the broker's list.
import { type ConnectedRequest, subjects } from "@parley/protocol";
import {
  answerBackup,
  answerJson,
  connectNats,
  connectRedis,
  type NatsConnection,
  natsConnected,
  requestJson,
  type Service,
  type ServiceContext,
  serveMethods,
  watchCheck,
} from "@parley/runtime";
import { openStore } from "@parley/store";
import { answerPush } from "./answer-push.ts";
import type { AwayLimits } from "./away.ts";
import type { BrokerClients } from "./brokers/broker.ts";
import { openBrokerClients } from "./brokers/table.ts";
import type { PresenceConfig } from "./config.ts";
import { type ConnectAsked, connectDevices, isConnected } from "./connect.ts";
import { openDevices } from "./devices.ts";
import { serveErasure } from "./erase.ts";
import { followEvents } from "./events.ts";
import { deviceMethods } from "./methods.ts";
import { type Reconciling, startReconcile } from "./reconcile.ts";
import { openRequests } from "./requests.ts";
import { openRevoked } from "./revoked.ts";
import { createBegin } from "./sessions/begin.ts";
import { openSessions, type Sessions } from "./sessions/sessions.ts";
import { keepWords } from "./sessions/words.ts";
import { startTelling } from "./tell/telling.ts";
import { openTrees } from "./trees/open.ts";
import { serveTrees } from "./trees/serve.ts";

const queue = "presence";
const userMs = 1_000;

export async function startPresence(config: PresenceConfig, context: ServiceContext): Promise<Service> {
  const { log, health, instance, closing } = context;
  const store = await openStore(config.STORE_URL, { service: "presence" });
  const requests = await openRequests(store.documents(), log);
  const nats = await connectNats({ url: config.NATS_URL, name: instance, log, health });
  const devices = await openDevices(store.documents(), log, (uid) => userExists(nats, uid));
  // Connects are answered without Redis, so its absence makes nothing unready.
  const redis = await connectRedis({ url: config.REDIS_URL, log });
  const broker = brokerOf(config, context);
  const sessionsNow: Pick<Sessions, "of" | "told"> = {
    of: (uid, clientId) => sessions.of(uid, clientId),
    told: (uids) => sessions.told(uids),
  };
  const documents = store.documents();
  const greet = (uid: string, clientId: string) => telling.greet(uid, clientId);
  const trees = await openTrees({ nats, redis, documents, devices, broker, greet, log });
  const telling = await startTelling({ nats, redis, documents, sessions: sessionsNow, ...pacesOf(config), log });
  const sessions: Sessions = openSessions({
    redis,
    offlineDelayMs: config.PRESENCE_OFFLINE_DELAY_MS,
    log,
    onDue: telling.due,
    onWake: telling.wake,
    onEnd: (clientId, at) => devices.note(clientId, { lastSeen: at }),
    onTree: trees.telling.told,
    onReplayed: () => reconciling?.soon(),
  });
  const begin = createBegin({ devices, change: sessions.change });
  const words = keepWords({ redis, devices, change: sessions.change, log });
  const revoked = openRevoked({ nats, sessions, broker, onDevice: devices.forget, log });
  const found = { redis, sessions, devices, begin, ...trees, limits: limitsOf(config), log, onDone: revoked.again };
  const reconciling: Reconciling | undefined =
    broker && startReconcile({ ...found, broker }, config.PRESENCE_RECONCILE_SECONDS);
  answerBackup(nats, { service: "presence", store, log });
  const parts = { nats, devices, sessions, begin, broker, ...trees, greet, log };
  const serving = [
    answerJson<ConnectAsked>(nats, subjects.connectDevice, queue, (asked) => connectDevices(asked, parts), log),
    answerJson<ConnectedRequest>(nats, subjects.deviceConnected, queue, (asked) => isConnected(asked, parts), log),
    ...answerPush(parts, queue),
    serveMethods(nats, { queue, handlers: [...deviceMethods(parts), ...telling.methods], once: requests.once, log }),
    ...serveErasure({ ...parts, store, telling, requests: requests.requests }, queue),
    ...serveTrees(parts, queue),
    followEvents({ ...parts, change: sessions.change, words, telling, revoked }),
    watchCheck(health, "store", () => store.check()),
  ];
  // Whoever asks after the start is answered.
  await nats.flush();
  return {
    async close() {
      requests.close();
      await closing("requests", () => Promise.all(serving.map((one) => one.close())));
      await closing("broker's list", async () => reconciling?.close());
      await closing("notices", async () => {
        await revoked.close();
        await telling.close();
        await trees.close();
      });
      await words.close();
      sessions.close();
      redis.disconnect();
      if (natsConnected(nats)) await closing("nats", () => nats.flush().catch(() => undefined));
      await nats.close();
      await closing("store", async () => {
        await devices.close();
        await store.close();
      });
    },
  };
}

async function userExists(nats: NatsConnection, uid: string): Promise<boolean> {
  return (await requestJson<{ exists: boolean }>(nats, subjects.userExists, { uid }, { timeoutMs: userMs })).exists;
}

function pacesOf(config: PresenceConfig) {
  return { greetDelayMs: config.PRESENCE_START_STATE_DELAY_MS, paceMs: config.PRESENCE_NOTICE_INTERVAL_MS };
}

function limitsOf(config: PresenceConfig): AwayLimits {
  return { expirySeconds: config.PRESENCE_SESSION_EXPIRY_SECONDS, userMax: config.PRESENCE_USER_SESSIONS_AWAY };
}

function brokerOf(config: PresenceConfig, { log, secrets }: ServiceContext): BrokerClients | undefined {
  const { PRESENCE_BROKER_ADMIN_URL: url, PRESENCE_BROKER: broker, PRESENCE_BROKER_API_KEY: apiKey } = config;
  if (url === "none") {
    log.warn({
      event: "no_reconcile",
      reason: "PRESENCE_BROKER_ADMIN_URL is none: sessions are known by events alone",
    });
    return undefined;
  }
  const urls = url.split(",").map((one) => one.trim().replace(/\/+$/, ""));
  return openBrokerClients({ broker, urls, credential: apiKey ?? secrets().servicesSecret });
}
