// Connected devices with trees, as Redis has them: read, listed, and changed in what they subscribed and speak.
import { type DialectLearned, type FiltersChange, parseTreeUser, type Tree, type TreesReply } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Redis } from "@parley/runtime";
import type { Devices } from "../devices.ts";
import type { PlantedTree } from "../sessions/change.ts";
import { filtersKey, keysOfTree, treeKey, treesKey } from "../sessions/keys.ts";
import { answersOf } from "../sessions/pipeline.ts";
import { treeScript } from "../sessions/tree-script.ts";

/** What does not change while it is connected. */
type Base = Pick<Tree, "connectedAt" | "username" | "protocol" | "prefix" | "expired">;

/** `other`: the change is of a connection that is no more. */
type Changed = "changed" | "unchanged" | "other" | "unknown";

/** Everything rejects while Redis is away. */
export interface LiveTrees {
  of(clientId: string): Promise<Tree | undefined>;
  /** Those that are not connected are missing. */
  many(clientIds: readonly string[]): Promise<Tree[]>;
  /** Is any connected? */
  areThere(): Promise<boolean>;
  /** Which accounts each acts for; those that are not connected are missing. */
  accountsOf(clientIds: readonly string[]): Promise<Map<string, readonly string[]>>;
  page(p: string | undefined, page: string | undefined): Promise<TreesReply>;
  /** Whose tree the client id has, or is about to have: as `treeUser` writes it. */
  userOf(clientId: string): Promise<string | undefined>;
  /** A version that is later than those of all trees so far. */
  now(): Promise<number>;
  filter(change: FiltersChange): Promise<Changed>;
  learn(learned: DialectLearned): Promise<Changed>;
  /** The accounts of its login, as they are now. */
  share(clientId: string, accounts: readonly string[]): Promise<Changed>;
}

/** Of one with more everything is taken as subscribed: it gets no more by it than the broker lets through. */
const filtersMax = 1_000;
const pageDevices = 500;
const pageBytes = 400 * 1024;
const partitions = [..."0123456789abcdef"];

const filterScript = `${treeScript}
local keys = { tree = KEYS[1], filters = KEYS[2], next = KEYS[3], nextFilters = KEYS[4], trees = KEYS[5] }
local id, name, max, counts = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if name == "" then name = nil end
-- Told before that its connection is there.
if redis.call("EXISTS", keys.next) == 1 and isOf(keys.next, name) then promote(keys, id) end
if redis.call("EXISTS", keys.tree) == 0 then return "unknown" end
if not isOf(keys.tree, name) then return "other" end
for at = 5, #ARGV do redis.call(at < 5 + counts and "SADD" or "SREM", keys.filters, ARGV[at]) end
if redis.call("SCARD", keys.filters) > max then
  redis.call("DEL", keys.filters)
  redis.call("SADD", keys.filters, "#")
end
redis.call("HSET", keys.tree, "version", version())
return "changed"`;

const setScript = `${treeScript}
local found = "unknown"
for at = 1, 2 do
  local before = redis.call("EXISTS", KEYS[at]) == 1 and (redis.call("HGET", KEYS[at], ARGV[1]) or "")
  if before and before ~= ARGV[2] then
    redis.call("HSET", KEYS[at], ARGV[1], ARGV[2])
    if at == 1 then
      redis.call("HSET", KEYS[at], "version", version())
      found = "changed"
    end
  elseif before and found == "unknown" then found = "unchanged" end
end
return found`;

/** A tree as it is kept while it is connected. */
export function plantedTree(tree: Omit<Tree, "version" | "p" | "owner" | "uid" | "clientId">): PlantedTree {
  const { accounts, dialect, filters, persistent, connection: _, ...rest } = tree;
  const base: Base = rest;
  const planted = { base: JSON.stringify(base), accounts: JSON.stringify(accounts), persistent, filters };
  return dialect === undefined ? planted : { ...planted, dialect };
}

export function openLiveTrees(redis: Redis): LiveTrees {
  async function many(clientIds: readonly string[]): Promise<Tree[]> {
    const asked = redis.pipeline();
    for (const clientId of clientIds) asked.hgetall(treeKey(clientId)).smembers(filtersKey(clientId));
    const answers = await answersOf(asked);
    return clientIds.flatMap((clientId, at) => {
      const kept = answers[2 * at] as Record<string, string>;
      return kept.base === undefined ? [] : [treeOf(clientId, kept, answers[2 * at + 1] as string[])];
    });
  }

  async function change(clientId: string, field: string, value: string): Promise<Changed> {
    const [tree = "", , next = ""] = keysOfTree(clientId);
    return (await redis.eval(setScript, 2, tree, next, field, value)) as Changed;
  }

  return {
    many,
    areThere: async () => (await redis.exists(...partitions.map(treesKey))) > 0,
    async accountsOf(clientIds) {
      const asked = redis.pipeline();
      for (const clientId of clientIds) asked.hget(treeKey(clientId), "accounts");
      const answers = await answersOf(asked);
      return new Map(
        clientIds.flatMap((clientId, at) => {
          const accounts = answers[at] as string | null;
          return accounts === null ? [] : [[clientId, JSON.parse(accounts) as string[]]];
        }),
      );
    },
    of: async (clientId) => (await many([clientId]))[0],
    page: (p, page) => pageOf(redis, many, p, page),
    async userOf(clientId) {
      const [tree = "", , next = ""] = keysOfTree(clientId);
      const [waiting, live] = await Promise.all([redis.hget(next, "user"), redis.hget(tree, "user")]);
      return live ?? waiting ?? undefined;
    },
    async now() {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000_000 + Number(micros);
    },
    async filter({ clientId, connection = "", added, removed }) {
      const keys = keysOfTree(clientId);
      const args = [clientId, connection, filtersMax, added.length, ...added, ...removed];
      return (await redis.eval(filterScript, keys.length, ...keys, ...args)) as Changed;
    },
    learn: ({ clientId, dialect }) => change(clientId, "dialect", dialect),
    share: (clientId, accounts) => change(clientId, "accounts", JSON.stringify(accounts)),
  };
}

/** `page`: `{p} {clientId}`, behind which it goes on. */
async function pageOf(
  redis: Redis,
  many: LiveTrees["many"],
  asked: string | undefined,
  page: string | undefined,
): Promise<TreesReply> {
  const trees: Tree[] = [];
  let room = pageBytes;
  for await (const tree of treesFrom(redis, many, asked, page)) {
    room -= Buffer.byteLength(JSON.stringify(tree)) + 1;
    const last = trees.at(-1);
    if (last && (room < 0 || trees.length === pageDevices)) return { trees, next: `${last.p} ${last.clientId}` };
    trees.push(tree);
  }
  return { trees, next: null };
}

async function* treesFrom(
  redis: Redis,
  many: LiveTrees["many"],
  asked: string | undefined,
  page: string | undefined,
): AsyncGenerator<Tree> {
  const first = page?.[0] ?? asked ?? "0";
  let after = page?.slice(2);
  for (const p of asked === undefined ? partitions.slice(partitions.indexOf(first)) : [asked]) {
    let ids: string[];
    do {
      const from = after === undefined ? "-" : `(${after}`;
      ids = await redis.zrangebylex(treesKey(p), from, "+", "LIMIT", 0, pageDevices);
      yield* await many(ids);
      after = ids.at(-1);
    } while (ids.length === pageDevices);
    after = undefined;
  }
}

/** Whose the device is: as its tree is known, or as its client id says. */
export async function userOf(
  { live, devices }: { live: Pick<LiveTrees, "userOf">; devices: Pick<Devices, "ownerOf"> },
  clientId: string,
): Promise<string | undefined> {
  return (await live.userOf(clientId)) ?? devices.ownerOf(clientId);
}

function treeOf(clientId: string, kept: Record<string, string>, filters: string[]): Tree {
  const { base = "{}", accounts = "[]", persistent, version, dialect, connection, user = "" } = kept;
  const tree: Tree = {
    p: ingestPartition(clientId),
    ...parseTreeUser(user),
    clientId,
    ...(JSON.parse(base) as Base),
    accounts: JSON.parse(accounts) as string[],
    persistent: persistent === "true",
    filters,
    version: Number(version),
  };
  if (dialect !== undefined) tree.dialect = dialect;
  if (connection !== undefined) tree.connection = connection;
  return tree;
}
