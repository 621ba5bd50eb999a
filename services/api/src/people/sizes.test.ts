import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "@parley/protocol";
import { openStore } from "@parley/store";
import { openApiStore, type PairDoc, type Side } from "../store.ts";
import { never, pairKey } from "./pairs.ts";
import { createRosterSizes } from "./sizes.ts";

test("a full roster is counted once for all who try to add to it, and again when one was removed", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-sizes-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "api", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openApiStore(opened.documents());
  const others = Array.from({ length: limits.rosterContacts }, (_, index) => `b${String(index).padStart(5, "0")}`);
  const side: Side = { ...never, relation: "contact", changedAt: 1 };
  const pair = (b: string): PairDoc => ({ a: "ann", b, ofA: side, ofB: side, changedAt: 1 });
  await store.pairs.put(others.map((b) => ({ key: pairKey("ann", b), doc: pair(b) })));
  let pages = 0;
  const find = store.pairs.find.bind(store.pairs);
  store.pairs.find = (query) => {
    pages += 1;
    return find(query);
  };
  const sizes = createRosterSizes(store);
  assert.deepEqual(await Promise.all(Array.from({ length: 20 }, () => sizes.isFull("ann"))), Array(20).fill(true));
  const once = pages;
  for (let tries = 0; tries < 20; tries++) assert.equal(await sizes.isFull("ann"), true);
  assert.equal(pages, once);
  await store.pairs.remove(pairKey("ann", others[0] as string));
  sizes.shrank("ann");
  assert.equal(await sizes.isFull("ann"), false);
});
