import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { deadSubject, streams } from "@parley/protocol";
import { connectNats } from "@parley/runtime";
import { openStore } from "@parley/store";
import { serviceContext, startServers } from "@parley/testkit";
import { openStreams } from "../announce/stream.ts";
import { openHistoryStore } from "../keep/store.ts";
import { eraseUser } from "./erase-user.ts";

test("an erased user's dead letters are removed from among however many, 500 looked at for one question", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-erase-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  const { nats: server } = await startServers(t, { nats: true });
  const nats = await connectNats({ url: server.url, name: "test", log: serviceContext("history").log });
  t.after(() => nats.close());
  const manager = await openStreams(nats);
  const js = jetstream(nats);
  const letters = Array.from({ length: 1_100 }, (_, index) => (index % 400 === 0 ? "ann" : "bob"));
  for (const uid of letters) await js.publish(deadSubject("router"), JSON.stringify({ topic: `p/0/${uid}/d/m` }));
  const asked: (number | null)[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const { next }: { next: number | null } = await eraseUser({ store, manager }, { uid: "ann", after });
    asked.push(next);
    after = next;
  }
  assert.deepEqual(asked, [500, 1_000, null]);
  const { state } = await manager.streams.info(streams.dead.name);
  assert.equal(state.messages, 1_097);
});
