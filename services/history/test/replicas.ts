// Replicas of history side by side on one store, without leases: the test says who holds what.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AppError,
  type AppendItem,
  type AppendOutcome,
  type ChangeReply,
  type conversationsList,
  type historyGet,
  type MembershipEvent,
  type ReceiptReply,
  type ReceiptRequest,
  type ResultOf,
  subjects,
  type sync,
} from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { answerJson, connectNats, type NatsConnection } from "@parley/runtime";
import { openStore } from "@parley/store";
import { serviceContext, startServers, type TestContext, testMongo } from "@parley/testkit";
import { openStreams } from "../src/announce/stream.ts";
import { type HistoryStore, openHistoryStore } from "../src/keep/store.ts";
import { createTrouble } from "../src/keep/trouble.ts";
import { getHistory } from "../src/read/get.ts";
import { listConversations } from "../src/read/list.ts";
import { createNamesFor } from "../src/read/names.ts";
import { syncConversations } from "../src/read/sync.ts";
import { createReplica, type Replica } from "../src/replica.ts";
import { receive } from "../src/write/receipts.ts";
import { append, change, notMine, type Writer } from "../src/write/writer.ts";

export interface Side extends Replica {
  hold(...convs: string[]): Promise<void>;
  send(item: AppendItem): Promise<AppendOutcome>;
  say(from: string, conv: string, id: string): Promise<number>;
  change(conv: string, event: MembershipEvent, id?: string): Promise<ChangeReply>;
  receipt(request: ReceiptRequest): Promise<ReceiptReply>;
  list(uid: string): Promise<ResultOf<typeof conversationsList>>;
  sync(uid: string): Promise<ResultOf<typeof sync>>;
  get(uid: string, conv: string, range?: { before?: number }): Promise<ResultOf<typeof historyGet>>;
}

/** Makes replicas on one store. Nothing is folded by time: what is read is complete all the same. */
export interface Sides {
  /** `sureUntil`: of all that it holds; else for ever. */
  add(change?: (store: HistoryStore) => HistoryStore, sureUntil?: () => number): Promise<Side>;
}

export type Engine = "sqlite" | "mongodb";

/** undefined: the engine is not to be had here. */
export async function startSides(t: TestContext, engine: Engine): Promise<Sides | undefined> {
  const mongo = engine === "mongodb" ? await testMongo(t) : undefined;
  if (engine === "mongodb" && !mongo) return undefined;
  const { nats: server } = await startServers(t, { nats: true });
  const context = serviceContext("history");
  const nats = await connectNats({ url: server.url, name: "test", log: context.log });
  answerJson(nats, subjects.userExists, "api", () => ({ exists: true }));
  const folder = await mkdtemp(join(tmpdir(), "parley-history-"));
  // SQLite lets one process in: its replicas share what is open.
  const open = () => openStore(mongo?.url ?? `sqlite:${folder}`, { service: "history" });
  const shared = mongo ? undefined : await open();
  const sides: Side[] = [];
  const opened = shared ? [shared] : [];
  t.after(async () => {
    await Promise.all(sides.map((side) => side.close()));
    await nats.close();
    await Promise.all(opened.map((store) => store.close()));
    await rm(folder, { recursive: true, force: true });
  });
  return {
    async add(changed = (store) => store, sureUntil = () => Number.POSITIVE_INFINITY) {
      const own = shared ?? (await open());
      if (!shared) opened.push(own);
      const side = await createSide(nats, changed(await openHistoryStore(own, undefined, false)), sureUntil);
      sides.push(side);
      return side;
    },
  };
}

async function createSide(nats: NatsConnection, store: HistoryStore, sureUntil: () => number): Promise<Side> {
  const { log } = serviceContext("history");
  const trouble = createTrouble(log);
  const namesFor = createNamesFor({ nats, trouble });
  const replica = createReplica({
    store,
    nats,
    manager: await openStreams(nats),
    trouble,
    log,
    pass: () => undefined,
    directMessages: "anyone",
    conversationsMax: 1_000,
    foldMs: 3_600_000,
    announceMs: 50,
    sureUntil,
  });
  const writer = (conv: string): Writer => {
    const held = replica.partitions.writer(conversationPartition(conv));
    if (!held) throw notMine();
    return held;
  };
  const caller = (uid: string) => ({ uid, via: "service" as const });
  const send: Side["send"] = async (item) => {
    const group = await append(writer(item.conv), [item]);
    if ("failed" in group) throw new AppError(group.failed === "not_mine" ? "unavailable" : group.failed);
    return group.outcomes[0] as AppendOutcome;
  };
  return {
    ...replica,
    send,
    async hold(...convs) {
      await Promise.all([...new Set(convs.map(conversationPartition))].map((q) => replica.partitions.acquire(q)));
    },
    async say(from, conv, id) {
      const outcome = await send(itemOf(from, conv, id));
      if ("error" in outcome) throw new AppError(outcome.error.code);
      return outcome.seq;
    },
    change: (conv, event, id = `${event.event}:${Math.random()}`) =>
      change(writer(conv), { conv, id, device: "api", origin: "api", event }),
    receipt: async (request) => orThrow(await receive(replica, request)),
    list: async (uid) => JSON.parse(orThrow(await listConversations(replica, {}, caller(uid), namesFor))),
    sync: async (uid) => JSON.parse(orThrow(await syncConversations(replica, { all: true }, caller(uid)))),
    get: async (uid, conv, range = {}) =>
      JSON.parse(orThrow(await getHistory(replica, { conv, ...range }, caller(uid)))),
  };
}

export function itemOf(from: string, conv: string, id: string): AppendItem {
  const packet = { id, to: conv, content: { type: "text", data: id } };
  return { conv, from, device: `${from}:d`, id, type: "text", body: Buffer.from(JSON.stringify(packet)) };
}

function orThrow<T>(answer: T | AppError): T {
  if (answer instanceof AppError) throw answer;
  return answer;
}
