// Puts a router together: leases on ingest partitions, a broker session each, the verbs, what other services send through it.
import { conversationPartitions, ingestPartitions } from "@parley/protocol/partition";
import {
  askMembers,
  connectNats,
  connectRedis,
  createAskHolder,
  gauge,
  type Leases,
  natsConnected,
  type Service,
  type ServiceContext,
  startHolderLookup,
  startLeases,
  watchCheck,
} from "@parley/runtime";
import { createUnderWay, type UnderWay } from "./admit/under-way.ts";
import { createAppend } from "./append/append.ts";
import { createAskHistory } from "./append/ask-history.ts";
import { createReachHistory } from "./append/reach-history.ts";
import type { RouterConfig } from "./config.ts";
import { createDeliver } from "./deliver/deliver.ts";
import { createMembers } from "./deliver/members.ts";
import { createReadStored } from "./deliver/read-stored.ts";
import { createIsRefused } from "./deliver/refusals.ts";
import { createSend } from "./deliver/send.ts";
import { followMembersChanged } from "./follow/members-changed.ts";
import { followNotify } from "./follow/notify.ts";
import { followOrigin } from "./follow/origin.ts";
import { createIngest, type Ingest } from "./ingest/ingest.ts";
import { createProbe } from "./ingest/probe.ts";
import { createUplinks } from "./uplinks/uplinks.ts";

export async function startRouter(config: RouterConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, metrics, closing } = context;
  const [nats, redis] = await Promise.all([
    connectNats({ url: config.NATS_URL, name: instance, log, health }),
    connectRedis({ url: config.REDIS_URL, name: instance, log }),
  ]);
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  await holders.refresh();
  const askHolder = createAskHolder(nats, holders);
  const members = createMembers((asked) => askMembers(askHolder, asked));
  const deliver = createDeliver({ members, log });
  const readStored = createReadStored(nats);
  const append = createAppend({
    ask: createAskHistory(nats, log),
    holders,
    timeoutMs: config.ROUTER_STORE_TIMEOUT_MS,
    requestsMax: config.ROUTER_REQUESTS,
  });
  const underWay = createUnderWay();
  const isRefused = createIsRefused(askHolder);
  const shared = { config, nats, redis, instance, askHolder, members, isRefused, deliver, readStored, underWay, log };
  const uplinks = createUplinks({ ...shared, append, pass: context.pass });
  const ingest = createIngest({
    brokerUrl: config.PARLEY_BROKER_URL,
    password: context.secrets().servicesSecret,
    window: config.ROUTER_WINDOW,
    maxInFlight: config.ROUTER_MAX_IN_FLIGHT,
    ...uplinks,
    afterPause: () => leases.afterPause(),
    log,
  });
  const leases: Leases = startLeases({
    redis,
    kind: "ingest",
    keys: ingestPartitions,
    instance,
    log,
    alive: () => natsConnected(nats) && ingest.alive(),
    acquire: ingest.acquire,
    release: ingest.release,
  });
  const send = createSend(ingest, log);
  const following = [
    followMembersChanged(nats, members),
    followNotify(nats, send, log),
    followOrigin({ nats, deliver: (message) => deliver(message, send.kept), log }),
    watchCheck(health, "history", createReachHistory(nats, holders)),
    watchCheck(health, "publish", createProbe(ingest)),
  ];
  health.check("partitions", leases.ready);
  health.check("broker", () => ingest.alive() || "the broker does not answer");
  measure(metrics, { leases, ingest, underWay });
  return {
    async close() {
      await closing("following", () => Promise.all(following.map((one) => one.close())));
      await closing("leases", () => leases.close());
      askHolder.close();
      holders.close();
      await closing("nats", () => nats.close());
      redis.disconnect();
    },
  };
}

function measure(
  metrics: ServiceContext["metrics"],
  { leases, ingest, underWay }: { leases: Leases; ingest: Ingest; underWay: UnderWay },
): void {
  gauge(metrics, "router_partitions", "ingest partitions held", () => leases.held().size);
  gauge(metrics, "router_unconfirmed", "packets taken and not confirmed", () => ingest.load().held);
  gauge(metrics, "router_queued_bytes", "publishes that wait for the broker", () => ingest.load().queuedBytes);
  gauge(metrics, "router_unanswered", "requests, receipts and typing under way", underWay.count);
}
