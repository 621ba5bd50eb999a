// Puts a router together: leases on ingest partitions, a broker session each, the verbs, what other services send through it.
import { allMembersSubject, type MemberList, type MembersChanged } from "@parley/protocol";
import { conversationPartitions, ingestPartitions } from "@parley/protocol/partition";
import {
  connectNats,
  connectRedis,
  gauge,
  type NatsConnection,
  natsConnected,
  parseJson,
  type Service,
  type ServiceContext,
  startHolderLookup,
  startLeases,
} from "@parley/runtime";
import { createAppend } from "./append.ts";
import { createAskHistory } from "./ask-history.ts";
import type { RouterConfig } from "./config.ts";
import { createDeliver } from "./deliver.ts";
import { createAskHolder } from "./holder.ts";
import { createIngest } from "./ingest.ts";
import { createMembers, type Members } from "./members.ts";
import { followNotify } from "./notify.ts";
import { followStored } from "./stored.ts";
import { createVerbs } from "./verbs.ts";

export async function startRouter(config: RouterConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, metrics, closing } = context;
  const [nats, redis] = await Promise.all([
    connectNats({ url: config.NATS_URL, name: instance, log, health }),
    connectRedis({ url: config.REDIS_URL, name: instance, log }),
  ]);
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  await holders.refresh();
  const askHolder = createAskHolder(nats, holders);
  const members = createMembers((conv) => askHolder<MemberList>("members", conv, { conv }));
  const append = createAppend({
    ask: createAskHistory(nats, log),
    holderOf: (q) => holders.of(String(q)),
    refreshHolders: holders.refresh,
    timeoutMs: config.ROUTER_STORE_TIMEOUT_MS,
    requestsMax: config.ROUTER_REQUESTS,
  });
  const chains = new Map<string, Promise<void>>();
  const verbs = createVerbs({
    config,
    nats,
    redis,
    instance,
    append,
    askHolder,
    members,
    chains,
    pass: context.pass,
    log,
  });
  const ingest = createIngest({
    brokerUrl: config.PARLEY_BROKER_URL,
    password: context.secrets().servicesSecret,
    window: config.ROUTER_WINDOW,
    maxInFlight: config.ROUTER_MAX_IN_FLIGHT,
    verbsOf: verbs.verbsOf,
    released: verbs.released,
    log,
  });
  const leases = startLeases({
    redis,
    kind: "ingest",
    keys: ingestPartitions,
    instance,
    log,
    alive: () => natsConnected(nats) && ingest.alive(),
    acquire: ingest.acquire,
    release: ingest.release,
  });
  const publishMany = (topics: readonly string[], payload: Uint8Array) => ingest.publishMany(topics, payload);
  const following = [
    followChanges(nats, members),
    followNotify(nats, ingest, log),
    followStored(nats, createDeliver({ publishMany, members, chains, log }), log),
  ];
  health.check("partitions", () => leases.held().size > 0 || "holds no ingest partition yet");
  health.check("broker", () => ingest.alive() || "the broker does not answer");
  gauge(metrics, "router_partitions", "ingest partitions held", () => leases.held().size);
  return {
    async close() {
      await closing("following", () => Promise.all(following.map((one) => one.close())));
      await closing("leases", () => leases.close());
      holders.close();
      await closing("nats", () => nats.close());
      redis.disconnect();
    },
  };
}

function followChanges(nats: NatsConnection, members: Members): { close(): Promise<void> } {
  const subscription = nats.subscribe(allMembersSubject, {
    callback: (error, message) => {
      if (error) return;
      const { conv, memberSeq } = parseJson(message.data) as MembersChanged;
      members.changed(conv, memberSeq);
    },
  });
  return { close: async () => subscription.unsubscribe() };
}
