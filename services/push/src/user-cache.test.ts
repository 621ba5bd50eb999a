import assert from "node:assert/strict";
import { test } from "node:test";
import { openUserCache } from "./user-cache.ts";

function open() {
  const kept = new Map<string, object>();
  const asked: string[][] = [];
  let gate: Promise<void> | undefined;
  const cache = openUserCache<object>({
    async load(uids) {
      asked.push([...uids]);
      const found = new Map([...kept].filter(([uid]) => uids.includes(uid)));
      await gate;
      return found;
    },
    max: 100,
    ttlMs: 60_000,
  });
  const close = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  return { cache, kept, asked, close };
}

test("users are read together, and once, also those for whom there is nothing", async () => {
  const { cache, kept, asked } = open();
  kept.set("ann", { n: 1 });
  assert.deepEqual(await cache.ofUsers(["ann", "bob", "ann"]), new Map([["ann", { n: 1 }]]));
  assert.deepEqual(await cache.ofUsers(["bob", "ann"]), new Map([["ann", { n: 1 }]]));
  assert.deepEqual(asked, [["ann", "bob"]]);
});

test("two who ask at once share one reading", async () => {
  const { cache, kept, asked } = open();
  kept.set("ann", {});
  const [one, other] = await Promise.all([cache.ofUsers(["ann"]), cache.ofUsers(["ann", "bob"])]);
  assert.deepEqual([one.size, other.size], [1, 1]);
  assert.deepEqual(asked, [["ann"], ["bob"]]);
});

test("what changed while it was being read is read again", async () => {
  const { cache, kept, close } = open();
  const goOn = close();
  const before = cache.ofUsers(["ann"]);
  kept.set("ann", { n: 1 });
  cache.forget(["ann"]);
  goOn();
  assert.equal((await before).size, 0);
  assert.deepEqual(await cache.ofUsers(["ann"]), new Map([["ann", { n: 1 }]]));
});

test("a reading that fails is told to who asked, and made again", async () => {
  let fails = true;
  const cache = openUserCache<object>({
    load: async () => {
      if (fails) throw new Error("away");
      return new Map([["ann", {}]]);
    },
    max: 10,
    ttlMs: 60_000,
  });
  await assert.rejects(cache.ofUsers(["ann", "bob"]), /away/);
  fails = false;
  assert.equal((await cache.ofUsers(["ann"])).size, 1);
});
