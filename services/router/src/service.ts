// Puts a router together: leases on ingest partitions, a broker session each, the verbs, what other services send through it.
import { conversationPartitions, ingestPartitions } from "@parley/protocol/partition";
import {
  type AskHolder,
  askMembers,
  connectNats,
  connectRedis,
  counter,
  createAskHolder,
  createMembers,
  followMembersChanged,
  gauge,
  type Leases,
  type Logger,
  type NatsConnection,
  natsConnected,
  type Redis,
  readGuests,
  type Service,
  type ServiceContext,
  startHolderLookup,
  startLeases,
  watchCheck,
  within,
} from "@parley/runtime";
import { createUnderWay, type UnderWay } from "./admit/under-way.ts";
import { createAppend } from "./append/append.ts";
import { createAskHistory } from "./append/ask-history.ts";
import { createReachHistory } from "./append/reach-history.ts";
import type { RouterConfig } from "./config.ts";
import { createDeliver } from "./deliver/deliver.ts";
import { createReadStored } from "./deliver/read-stored.ts";
import { createIsRefused } from "./deliver/refusals.ts";
import { createSend, openUnheardOf } from "./deliver/send.ts";
import { type Direct, openDirect, throughBroker } from "./direct/direct.ts";
import { followNotify } from "./follow/notify.ts";
import { followOrigin } from "./follow/origin.ts";
import { createDeadLetter } from "./ingest/dead-letter.ts";
import { createIngest, type Ingest } from "./ingest/ingest.ts";
import { type Login, openLogin } from "./ingest/login.ts";
import { createProbe } from "./ingest/probe.ts";
import { followOnward, type HandOnParts } from "./onward/hand-on.ts";
import { createUnnest } from "./onward/unnest.ts";
import { startTrees } from "./trees/trees.ts";
import { createUplinks, type Uplinks } from "./uplinks/uplinks.ts";

const forever = Number.POSITIVE_INFINITY;
const releaseWaitMs = 1_000;
/** A broker that is there takes a login sooner: what waits longer is tried again with the next turn of the leases. */
const loginWaitMs = 1_000;

export async function startRouter(config: RouterConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, metrics, closing } = context;
  const [nats, redis] = await connect(config, context);
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  await holders.refresh();
  const askHolder = createAskHolder(nats, holders);
  const members = createMembers((asked) => askMembers(askHolder, asked));
  const deliver = createDeliver({ members, log });
  const appending = { ask: createAskHistory(nats, log), holders, requestsMax: config.ROUTER_REQUESTS };
  const append = createAppend({ ...appending, timeoutMs: config.ROUTER_STORE_TIMEOUT_MS });
  const underWay = createUnderWay();
  const deadLetter = createDeadLetter(nats, log);
  const guests = readGuests(config.GUESTS).map(({ name, prefix }) => ({ name, prefix }));
  const trees = startTrees({ nats, guests, deadLetter, log });
  const sending = { unheard: openUnheardOf(trees), direct: directOf(config, log) };
  const uplinks = createUplinks({
    config,
    guests,
    trees,
    ...sending,
    deadLetter,
    nats,
    redis,
    instance,
    askHolder,
    members,
    deliver,
    underWay,
    log,
    append,
    readStored: createReadStored(nats),
    isRefused: createIsRefused(askHolder),
    pass: context.pass,
  });
  const { ingest, leases, login } = await startIngest(config, context, { ...uplinks, nats, redis });
  const send = createSend(ingest, trees, log, sending);
  const following = [
    followMembersChanged(nats, members),
    followNotify(nats, send, log),
    followOrigin({ nats, deliver: (message) => deliver(message, send.kept), log }),
    handOn({ nats, append: createAppend({ ...appending, timeoutMs: forever }), askHolder, log }, context),
    watchCheck(health, "history", createReachHistory(nats, holders)),
    watchCheck(health, "publish", createProbe(ingest)),
  ];
  health.check("partitions", leases.ready);
  health.check("broker", () => ingest.alive() || login.refusal() || "the broker does not answer");
  measure(metrics, { leases, ingest, underWay });
  return {
    async close() {
      await closing("following", () => Promise.all(following.map((one) => one.close())));
      await closing("kept back", () => within(releaseWaitMs, send.release()));
      await closing("leases", () => leases.close());
      sending.direct.close();
      await closing("login", () => login.close());
      await closing("trees", () => trees.close());
      askHolder.close();
      holders.close();
      await closing("nats", () => nats.close());
      redis.disconnect();
    },
  };
}

function connect({ NATS_URL, REDIS_URL }: RouterConfig, { instance, log, health }: ServiceContext) {
  return Promise.all([
    connectNats({ url: NATS_URL, name: instance, log, health }),
    connectRedis({ url: REDIS_URL, name: instance, log }),
  ]);
}

function directOf({ PARLEY_DIRECT_SOCKET: path }: RouterConfig, log: Logger): Direct {
  return path === "" ? throughBroker : openDirect(path, log);
}

function handOn(
  { askHolder, ...parts }: Pick<HandOnParts, "nats" | "append" | "log"> & { askHolder: AskHolder },
  { metrics, pass }: ServiceContext,
) {
  const copies = counter(metrics, "router_copies_refused_total", "copies for nested rooms refused, by code", ["code"]);
  return followOnward({ ...parts, gone: createUnnest(askHolder), refused: (code) => copies.inc({ code }), pass });
}

/** The partitions that this router holds, and those it gets and gives up. */
async function startIngest(
  config: RouterConfig,
  { instance, log, secrets }: ServiceContext,
  { nats, redis, ...uplinks }: Uplinks & { nats: NatsConnection; redis: Redis },
): Promise<{ ingest: Ingest; leases: Leases; login: Login }> {
  const broker = { brokerUrl: config.PARLEY_BROKER_URL, password: secrets().servicesSecret, log };
  const login = openLogin({ ...broker, instance });
  await within(loginWaitMs, login.whenTaken());
  const ingest = createIngest({
    ...broker,
    login,
    window: config.ROUTER_WINDOW,
    maxInFlight: config.ROUTER_MAX_IN_FLIGHT,
    ...uplinks,
    afterPause: () => leases.afterPause(),
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
  return { ingest, leases, login };
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
