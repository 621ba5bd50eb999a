// Revocations on their way to NATS.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { revocationKey } from "@parley/protocol";
import { connectNats } from "@parley/runtime";
import { openStore } from "@parley/store";
import { serviceContext, startServers } from "@parley/testkit";
import { startAnnouncing } from "../src/accounts/announce.ts";
import { openApiStore } from "../src/store.ts";

test("a revocation that comes while others are announced is with NATS when its promise says so", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const folder = await mkdtemp(join(tmpdir(), "parley-announce-"));
  const kept = await openStore(`sqlite:${folder}`, { service: "api" });
  t.after(async () => {
    await kept.close();
    await rm(folder, { recursive: true });
  });
  const store = await openApiStore(kept.documents());
  const { log } = serviceContext("api");
  const nats = await connectNats({ url: server.url, name: "test", log });
  t.after(() => nats.close());
  const announcements = startAnnouncing({ store, nats, log });
  t.after(() => announcements.close());
  const revocations = ["alice", "bob", "carol"].map((uid) => ({ uid, before: 1, until: Date.now() + 60_000 }));
  for (const revocation of revocations)
    await store.revocations.insert(revocationKey(revocation), { ...revocation, announced: false });
  const isAnnounced = async (uid: string) => (await store.revocations.get(revocationKey({ uid })))?.doc.announced;
  const added = revocations.map(async (revocation) => {
    await announcements.add(revocation);
    return isAnnounced(revocation.uid);
  });
  assert.deepEqual(await Promise.all(added), [true, true, true]);
});
