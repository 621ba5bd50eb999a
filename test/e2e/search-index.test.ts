// The index through bad days: built anew under kill -9, lost, and with something erased.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { subjects } from "@parley/protocol";
import { connectNats, requestJson } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext, startTestCluster } from "@parley/testkit";
import { connectAs, registerAll } from "./people.ts";
import { eventuallyFinds, finds, parley } from "./searching.ts";

// Search kills itself at the third batch of a build, in each of its lives.
const cluster = await startTestCluster({ after }, { env: { PARLEY_CRASH_AT: "before-index-mark:3" } });
await registerAll(cluster, "alice", "bob");

test("an index whose file is damaged, gone or of an earlier form is built anew from the log", async (t) => {
  const { client: alice } = await connectAs(t, cluster, "alice");
  await alice.send("user/alice", "a note to myself");
  await eventuallyFinds(alice, "note", ["a note to myself"]);
  for (const spoil of [
    (file: string) => rmSync(file),
    (file: string) => writeFileSync(file, "no database ".repeat(9_000)),
    makeEarlier,
  ]) {
    await eventually(() => existsSync(indexFile()));
    await cluster.stopPart("search");
    for (const file of globSync(join(cluster.dir, "data/search/search-*.db-*"))) rmSync(file);
    await spoil(indexFile());
    await cluster.startPart("search");
    await cluster.waitReady("search");
    await eventually(async () => (await finds(alice, "note").catch(() => [])).length === 1);
  }
});

// Its name says no form, and what is in it is not found.
async function makeEarlier(file: string): Promise<void> {
  const earlier = file.replace(/v\d+\.db$/, ".db");
  renameSync(file, earlier);
  const sqlite = new DatabaseSync(earlier);
  sqlite.exec("DELETE FROM places");
  sqlite.close();
  const store = await openStore(cluster.wiring.storeUrl, { service: "search" });
  const states = await store.documents().collection<{ current: { name: string } }>({ name: "indexes" });
  const { doc, version } = (await states.get("state"))!;
  const name = /search-(\w+)\.db$/.exec(earlier)?.[1];
  assert.ok(await states.update("state", { ...doc, current: { ...doc.current, name: String(name) } }, version));
  await store.close();
}

const indexFile = () => globSync(join(cluster.dir, "data/search/search-*.db"))[0] ?? "";

test("what was erased is gone from the index and from its files", async (t) => {
  const { client: alice } = await connectAs(t, cluster, "alice");
  const canary = "zq8canaryword";
  const { conv, seq } = await alice.send("user/bob", `the ${canary} sings`);
  for (let n = 0; n < 300; n += 1) await alice.send("user/bob", `other ${n}`);
  await eventuallyFinds(alice, canary, [`the ${canary} sings`]);
  const nats = await connectNats({
    url: cluster.wiring.urls.nats,
    name: "test",
    log: serviceContext("test").log,
  });
  t.after(() => nats.close());
  await requestJson(nats, subjects.removeFromSearch, { conv, seqs: [seq] }, { timeoutMs: 10_000 });
  assert.deepEqual(await finds(alice, canary), []);
  const files = globSync(join(cluster.dir, "data/search/*")).filter((file) => readFileSync(file).includes(canary));
  assert.deepEqual(files, []);
});

test("a build that is killed before its mark, again and again, goes on, and what was said meanwhile is found", async (t) => {
  const { client: alice } = await connectAs(t, cluster, "alice");
  const { client: bob } = await connectAs(t, cluster, "bob");
  await Promise.all(Array.from({ length: 700 }, (_, n) => alice.send("user/bob", `word number${n}`)));
  await eventuallyFinds(bob, "number699", ["word number699"]);
  const restarts = cluster.restarts("search");
  const rebuilding = parley(t, cluster, "search", "rebuild");
  await eventually(() => cluster.restarts("search") > restarts, { timeoutMs: 60_000 });
  await alice.send("user/bob", "meanwhile");
  const { code, err } = await rebuilding;
  assert.equal(code, 0, err);
  assert.ok(cluster.restarts("search") >= restarts + 2, "it was killed twice at least");
  for (const n of [0, 350, 699]) assert.deepEqual(await finds(bob, `number${n}`), [`word number${n}`]);
  await eventuallyFinds(bob, "meanwhile", ["meanwhile"]);
});
