// Puts push together: its store, tokens and settings, answers over NATS.
import {
  answerBackup,
  answerCompact,
  ConfigError,
  connectNats,
  type Service,
  type ServiceContext,
  watchCheck,
} from "@parley/runtime";
import { openStore } from "@parley/store";
import type { PushConfig } from "./config.ts";
import { openRegistered } from "./registered.ts";
import { readVapidKeys, type VapidKeys } from "./vapid.ts";

const queue = "push";

export async function startPush(config: PushConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, closing, pass } = context;
  const vapid = vapidKeysOf(config, context);
  const store = await openStore(config.STORE_URL, { service: "push" });
  const nats = await connectNats({ url: config.NATS_URL, name: instance, log, health });
  const registered = await openRegistered({
    documents: store.documents(),
    nats,
    vapidPublicKey: vapid.publicKey,
    pass,
    log,
  });
  health.check("tokens", registered.tokens.areSound);
  answerBackup(nats, { service: "push", store, log });
  const serving = [
    ...registered.serve(queue),
    answerCompact(nats, { service: queue, compact: () => store.compact(), log }),
    watchCheck(health, "store", () => store.check()),
  ];
  await nats.flush();
  return {
    async close() {
      await closing("requests", () => Promise.all(serving.map((one) => one.close())));
      await closing("tokens", () => registered.close());
      await closing("nats", () => nats.close());
      await closing("store", () => store.close());
    },
  };
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
