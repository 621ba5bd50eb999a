// Puts push together: its store, tokens and settings, answers over NATS.
import {
  answerBackup,
  answerCompact,
  connectNats,
  type Service,
  type ServiceContext,
  watchCheck,
} from "@parley/runtime";
import { openStore } from "@parley/store";
import type { PushConfig } from "./config.ts";

const queue = "push";

export async function startPush(config: PushConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, closing } = context;
  const store = await openStore(config.STORE_URL, { service: "push" });
  const nats = await connectNats({ url: config.NATS_URL, name: instance, log, health });
  answerBackup(nats, { service: "push", store, log });
  const serving = [
    answerCompact(nats, { service: queue, compact: () => store.compact(), log }),
    watchCheck(health, "store", () => store.check()),
  ];
  await nats.flush();
  return {
    async close() {
      await closing("requests", () => Promise.all(serving.map((one) => one.close())));
      await closing("nats", () => nats.close());
      await closing("store", () => store.close());
    },
  };
}
