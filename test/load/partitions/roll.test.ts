import assert from "node:assert/strict";
import { test } from "node:test";
import { startServers } from "@parley/testkit";
import { openReplicas } from "./replicas.ts";
import { roll } from "./roll.ts";

const keysOf = (count: number) => Array.from({ length: count }, (_, key) => String(key));

test("one replica that is replaced gives the new one half, then the rest: each partition moves once", async (t) => {
  const { redis } = await startServers(t, { redis: true });
  const replicas = openReplicas(redis.url, { kind: "conversation", keys: keysOf(8) });
  t.after(() => replicas.close());
  await replicas.join();
  assert.deepEqual(await roll(replicas, 8), { moves: 8, most: 1, mean: 1, least: 8 });
});

test("of more replicas than partitions, one without any comes and goes without a move", async (t) => {
  const { redis } = await startServers(t, { redis: true });
  const replicas = openReplicas(redis.url, { kind: "ingest", keys: keysOf(2) });
  t.after(() => replicas.close());
  for (let count = 0; count < 3; count++) await replicas.join();
  const moves = () => [...replicas.taken.values()].reduce((sum, count) => sum + count, 0);
  const before = moves();
  await replicas.join();
  const idle = replicas.living().find(({ held }) => held().size === 0);
  assert.ok(idle);
  await replicas.leave(idle);
  assert.equal(moves(), before);
});

test("a rolling upgrade of four replicas moves no partition more than shares that stay even need", async (t) => {
  const { redis } = await startServers(t, { redis: true });
  const replicas = openReplicas(redis.url, { kind: "conversation", keys: keysOf(32) });
  t.after(() => replicas.close());
  for (let count = 0; count < 4; count++) await replicas.join();
  const { moves, least } = await roll(replicas, 32);
  assert.equal(moves, least);
  assert.equal(replicas.living().length, 4);
});
