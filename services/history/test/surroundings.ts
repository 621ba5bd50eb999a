// History on real NATS, Redis and SQLite, with api's one answer (who exists) played.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AppendItem,
  type AppendOutcome,
  type Caller,
  type ChangeReply,
  type ChangeRequest,
  conversationsList,
  type Door,
  historyGet,
  historySubject,
  type MemberList,
  type MembershipEvent,
  type ParamsOf,
  p2pConv,
  packAppendRequest,
  type ReceiptReply,
  type ReceiptRequest,
  subjects,
  sync,
  unpackAppendReply,
} from "@parley/protocol";
import { conversationPartition, conversationPartitionCount } from "@parley/protocol/partition";
import {
  answerJson,
  callMethod,
  connectNats,
  type NatsConnection,
  readConfig,
  request,
  requestJson,
} from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext, startServers, type TestContext, type TestServer } from "@parley/testkit";
import { settings } from "../src/config.ts";
import { type HistoryStore, openHistoryStore } from "../src/keep/store.ts";
import { startHistory } from "../src/service.ts";

const timeoutMs = 30_000;

export interface TestHistory {
  nats: NatsConnection;
  redis: TestServer;
  natsServer: TestServer;
  folder: string;
  /** who does not exist, as api answers */
  unknown: Set<string>;
  item(from: string, conv: string, id: string, more?: Partial<AppendItem>): AppendItem;
  append(...items: AppendItem[]): Promise<AppendOutcome[]>;
  /** `from` says something to `to`; its seq */
  say(from: string, to: string, id: string, more?: Partial<AppendItem>): Promise<number>;
  change(roomId: string, event: MembershipEvent, more?: Partial<ChangeRequest>): Promise<ChangeReply>;
  receipt(request: ReceiptRequest): Promise<ReceiptReply>;
  doors(...doors: Door[]): Promise<unknown>;
  members(conv: string): Promise<MemberList>;
  get(
    uid: string,
    params: ParamsOf<typeof historyGet>,
    maxBytes?: number,
  ): ReturnType<typeof callMethod<typeof historyGet>>;
  sync(uid: string, params?: ParamsOf<typeof sync>, maxBytes?: number): ReturnType<typeof callMethod<typeof sync>>;
  list(
    uid: string,
    params?: ParamsOf<typeof conversationsList>,
    maxBytes?: number,
  ): ReturnType<typeof callMethod<typeof conversationsList>>;
  /** Ends it and starts another on the same data. */
  /** `between`: what is done to its store while it is away. */
  restart(between?: (store: HistoryStore) => Promise<void>): Promise<void>;
}

function caller(uid: string, maxBytes: number | undefined): Caller {
  return { uid, via: "service", ...(maxBytes === undefined ? {} : { maxBytes }) };
}

/** An edit, recall, reaction, vote or close of message `seq`, as `more` of `say` and `item`. */
export function about(
  type: "edit" | "recall" | "reaction" | "vote" | "close",
  seq: number,
  { data = "👍", ...more }: { data?: unknown; remove?: boolean; options?: number[] } = {},
): Partial<AppendItem> {
  const content = { type, seq, data, ...more };
  return { type, body: Buffer.from(JSON.stringify({ id: "x", to: "user/x", content })) };
}

/** `storeUrl`: SQLite in the folder if not given. `more`: settings of history. */
export async function startTestHistory(
  t: TestContext,
  storeUrl?: string,
  more: Record<string, string> = {},
): Promise<TestHistory> {
  const { redis, nats: natsServer } = await startServers(t, { redis: true, nats: true });
  const folder = await mkdtemp(join(tmpdir(), "parley-history-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const env = { NATS_URL: natsServer.url, REDIS_URL: redis.url, PARLEY_DIR: folder, ...more };
  const config = readConfig(settings, { ...env, ...(storeUrl !== undefined && { STORE_URL: storeUrl }) });
  let context = serviceContext("history");
  const nats = await connectNats({ url: natsServer.url, name: "test", log: context.log });
  t.after(() => nats.close());
  const unknown = new Set<string>();
  answerJson<{ uid: string }>(nats, subjects.userExists, "api", ({ uid }) => ({ exists: !unknown.has(uid) }));
  const start = async () => {
    context = serviceContext("history");
    const service = await startHistory(config, context);
    await eventually(async () => {
      const held = await context.metrics.getSingleMetric("parley_history_partitions")?.get();
      return held?.values[0]?.value === conversationPartitionCount;
    });
    return service;
  };
  let service = await start();
  t.after(() => service.close());
  const own = (verb: Parameters<typeof historySubject>[0]): string => historySubject(verb, context.instance);
  const item: TestHistory["item"] = (from, conv, id, more = {}) => {
    const packet = { id, to: conv, content: { type: more.type ?? "text", data: id } };
    return { conv, from, device: `${from}:d`, id, type: "text", body: Buffer.from(JSON.stringify(packet)), ...more };
  };
  const append: TestHistory["append"] = async (...items) => {
    const q = conversationPartition(items[0]?.conv ?? "");
    const reply = await request(nats, own("append"), packAppendRequest([{ q, items }]), { timeoutMs });
    const [group] = unpackAppendReply(reply);
    if (!group || "failed" in group) throw new Error(`the group failed: ${JSON.stringify(group)}`);
    return group.outcomes;
  };
  return {
    nats,
    redis,
    natsServer,
    folder,
    unknown,
    item,
    append,
    async say(from, to, id, more) {
      const conv = to.includes("/") ? to : p2pConv(from, to);
      let [outcome] = await append(item(from, conv, id, more));
      // On a machine with much else to do api's answer may come too late: a sender sends again then.
      while (outcome && "error" in outcome && outcome.error.code === "unavailable")
        [outcome] = await append(item(from, conv, id, more));
      if (!outcome || "error" in outcome) throw new Error(JSON.stringify(outcome));
      return outcome.seq;
    },
    change: (roomId, event, more = {}) => {
      const base = {
        conv: `room/${roomId}`,
        id: `${event.event}:${Math.random()}`,
        device: "api",
        origin: "api",
        event,
      };
      return requestJson(nats, own("change"), { ...base, ...more }, { timeoutMs });
    },
    receipt: (body) => requestJson(nats, own("receipt"), body, { timeoutMs }),
    doors: (...doors) => requestJson(nats, own("doors"), { doors }, { timeoutMs }),
    members: (conv) => requestJson(nats, own("members"), { conv, seq: 1 }, { timeoutMs }),
    get: (uid, params, maxBytes) => callMethod(nats, historyGet, caller(uid, maxBytes), params, { timeoutMs }),
    sync: (uid, params = {}, maxBytes?) => callMethod(nats, sync, caller(uid, maxBytes), params, { timeoutMs }),
    list: (uid, params = {}, maxBytes?) =>
      callMethod(nats, conversationsList, caller(uid, maxBytes), params, { timeoutMs }),
    async restart(between) {
      await service.close();
      if (between) {
        const opened = await openStore(config.STORE_URL, { service: "history", lockWaitMs: 5_000 });
        await between(await openHistoryStore(opened)).finally(() => opened.close());
      }
      service = await start();
    },
  };
}
