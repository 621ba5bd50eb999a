// Puts push together: its store, tokens and settings, the providers, and what lies between what is stored and them.
import { conversationPartitions } from "@parley/protocol/partition";
import {
  answerBackup,
  answerCompact,
  ConfigError,
  connectNats,
  connectRedis,
  readNetworks,
  type Service,
  type ServiceContext,
  startHolderLookup,
  watchCheck,
  yieldToChat,
} from "@parley/runtime";
import { openStore } from "@parley/store";
import type { PushConfig } from "./config.ts";
import { startPipeline } from "./pipeline.ts";
import { openRegistered } from "./registered.ts";
import { startSenders } from "./start-senders.ts";
import { answerTry } from "./try-tokens.ts";
import { readVapidKeys, type VapidKeys } from "./vapid.ts";

const queue = "push";

export async function startPush(config: PushConfig, context: ServiceContext): Promise<Service> {
  const { log, health, closing, pass } = context;
  yieldToChat();
  const vapid = vapidKeysOf(config, context);
  const senders = startSenders(config, { log, vapid });
  const { store, nats, redis, holders } = await connect(config, context);
  const registered = await openRegistered({
    documents: store.documents(),
    nats,
    defaults: { appId: config.PUSH_APP_ID, allowed: allowedBy(config) },
    vapidPublicKey: vapid.publicKey,
    pass,
    log,
  });
  const { tokens, settings } = registered;
  health.check("tokens", tokens.areSound);
  answerBackup(nats, { service: "push", store, log });
  const pipeline = startPipeline({
    ...context,
    nats,
    redis,
    holders,
    tokens,
    settingsOf: settings.ofUsers,
    senders,
    delayMs: config.PUSH_DELAY_MS,
    ttlMs: config.PUSH_TTL_SECONDS * 1_000,
  });
  const serving = [
    ...registered.serve(queue),
    answerTry({ nats, tokens, senders, log }),
    answerCompact(nats, { service: queue, compact: () => store.compact(), log }),
    watchCheck(health, "store", () => store.check()),
  ];
  await nats.flush();
  return {
    async close() {
      await closing("pipeline", () => pipeline.close());
      await closing("providers", () => Promise.all(Object.values(senders).map((sender) => sender.close())));
      await closing("requests", () => Promise.all(serving.map((one) => one.close())));
      await closing("tokens", () => registered.close());
      holders.close();
      await closing("nats", () => nats.close());
      redis.disconnect();
      await closing("store", () => store.close());
    },
  };
}

async function connect(config: PushConfig, { instance, log, health }: ServiceContext) {
  const [store, nats, redis] = await Promise.all([
    openStore(config.STORE_URL, { service: "push" }),
    connectNats({ url: config.NATS_URL, name: instance, log, health }),
    connectRedis({ url: config.REDIS_URL, name: instance, log }),
  ]);
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  await holders.refresh();
  return { store, nats, redis, holders };
}

function vapidKeysOf({ PUSH_VAPID_KEY: given }: PushConfig, { secretText }: ServiceContext): VapidKeys {
  try {
    if (given !== undefined) return readVapidKeys(given, "PUSH_VAPID_KEY");
    return readVapidKeys(secretText("vapid-key"), "the secret vapid-key");
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError([error.message]);
    throw error;
  }
}

/** Who allows none has none, rather than an empty list. */
function allowedBy({ PUSH_WEB_ALLOW: text }: PushConfig) {
  return text.trim() === "" ? undefined : readNetworks(text);
}
