// The real search and the real history as processes of their own on one data folder; search can be told where to die.
import type { ChildProcess } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  type EraseReply,
  packAppendRequest,
  type RebuildProgress,
  type RebuildRequest,
  type RemoveRequest,
  searchMessages,
  subjects,
  unpackAppendReply,
} from "@parley/protocol";
import { conversationPartition, conversationPartitions } from "@parley/protocol/partition";
import {
  type AskHolder,
  answerJson,
  type Checkpoint,
  callMethod,
  connectNats,
  connectRedis,
  createAskHolder,
  requestJson,
  startHolderLookup,
} from "@parley/runtime";
import {
  endProcess,
  eventually,
  processEnd,
  serviceContext,
  startServers,
  startServiceProcess,
  type TestContext,
} from "@parley/testkit";

export interface Searching {
  /** `dieAt`: `{point}` or `{point}:{n}`, where it kills itself. */
  start(dieAt?: Checkpoint | `${Checkpoint}:${number}`): void;
  /** kill -9; resolves when search is gone. */
  kill(): Promise<void>;
  /** Resolves when search is gone: the signal that ended it. */
  died(): Promise<string | null>;
  /** Stored; resolves with its seq. */
  say(conv: string, from: string, content: { type: string }): Promise<number>;
  /** The bodies of what a user sent leave history's store; resolves with their seqs. */
  empty(conv: string, uid: string): Promise<number[]>;
  /** Asked once: rejects where search dies. */
  remove(request: RemoveRequest): Promise<unknown>;
  rebuild(request: RebuildRequest): Promise<RebuildProgress>;
  /** Texts of the messages that a user finds, in the order of their seqs. */
  find(uid: string, query: string): Promise<unknown[]>;
  /** Names of the indexes' files. */
  indexes(): string[];
  /** Names of search's files that hold this text. */
  filesWith(text: string): string[];
}

const timeoutMs = 5_000;

/** History runs; search is not started. */
export async function startSearching(t: TestContext): Promise<Searching> {
  const folder = await mkdtemp(join(tmpdir(), "parley-search-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { redis: redisServer, nats: natsServer } = await startServers(t, { redis: true, nats: true });
  const { log } = serviceContext("test");
  const nats = await connectNats({ url: natsServer.url, name: "test", log });
  t.after(() => nats.close());
  answerJson(nats, subjects.userExists, "api", () => ({ exists: true }));
  const redis = await connectRedis({ url: redisServer.url, name: "test", log });
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  const holder = createAskHolder(nats, holders);
  t.after(() => {
    holder.close();
    holders.close();
    redis.disconnect();
  });
  const env = {
    ...process.env,
    NATS_URL: natsServer.url,
    REDIS_URL: redisServer.url,
    PARLEY_DIR: folder,
    PARLEY_LOG_LEVEL: "warn",
    PARLEY_PARENT_PIPE: "true",
    SEARCH_READABLE_MS: "0",
  };
  const history = startServiceProcess("history", { env });
  let search: ChildProcess | undefined;
  t.after(() => Promise.all([history, search].map((child) => child && endProcess(child))));
  const files = (suffix: string) => globSync(join(folder, `data/search/search-*.db${suffix}`));
  return {
    start(dieAt) {
      search = startServiceProcess("search", { env, dieAt });
    },
    kill: () => endProcess(search!),
    died: () => processEnd(search!),
    ...writingTo(holder),
    remove: (asked) => requestJson(nats, subjects.removeFromSearch, asked, { timeoutMs }),
    rebuild: (asked) => requestJson(nats, subjects.rebuildSearch, asked, { timeoutMs }),
    async find(uid, query) {
      const { results } = await callMethod(
        nats,
        searchMessages,
        { uid, via: "service" },
        { query, limit: 100 },
        { timeoutMs },
      );
      const inOrder = results.toSorted((one, other) => one.message.seq - other.message.seq);
      return inOrder.map(({ message }) => ((message.edited ?? message).content as { data?: unknown }).data);
    },
    indexes: () => files("").map((file) => basename(file)),
    filesWith: (text) => files("*").filter((file) => readFileSync(file).includes(text)),
  };
}

function writingTo(history: AskHolder): Pick<Searching, "say" | "empty"> {
  let ids = 0;
  return {
    async say(conv, from, content) {
      const id = `m${++ids}`;
      const body = Buffer.from(JSON.stringify({ id, to: conv, content }));
      const item = { conv, from, device: `${from}:d`, id, type: content.type, body };
      const asked = packAppendRequest([{ q: conversationPartition(conv), items: [item] }]);
      return eventually(async () => {
        const group = (await history.bytes("append", conv, asked, unpackAppendReply))[0];
        const outcome = group && "outcomes" in group ? group.outcomes[0] : undefined;
        return outcome && "seq" in outcome ? outcome.seq : undefined;
      });
    },
    async empty(conv, uid) {
      const seqs: number[] = [];
      for (let after: number | null = 0; after !== null; ) {
        const reply: EraseReply = await history.json("erase", conv, { conv, uid, after });
        seqs.push(...reply.seqs);
        after = reply.next;
      }
      return seqs;
    },
  };
}
