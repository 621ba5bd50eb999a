import assert from "node:assert/strict";
import { test } from "node:test";
import { historySubject } from "@parley/protocol";
import { eventually, startServers } from "@parley/testkit";
import { recordingLogger } from "../../test/recorder.ts";
import { connectNats } from "../connections/nats.ts";
import type { HolderLookup } from "../leases/holders.ts";
import { createAskHolder } from "./ask-holder.ts";
import { answerJson } from "./request.ts";

test("a holder that is slow is asked again after the rule's time, and once by who waits longer for an answer", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { log } = recordingLogger();
  const nats = await connectNats({ url: server.url, name: "test", log });
  t.after(() => nats.close());
  const asked: string[] = [];
  const slow = Promise.withResolvers<object>();
  answerJson<{ who: string }>(nats, historySubject("erase", "one"), undefined, async ({ who }) => {
    asked.push(who);
    return slow.promise;
  });
  const lookup = { of: () => "one", refresh: async () => {}, told: async () => {} } as unknown as HolderLookup;
  const askHolder = createAskHolder(nats, lookup);
  const answers = [
    askHolder.json("erase", "p2p/a/b", { who: "patient" }, { allMs: 60_000, answerMs: 60_000 }),
    askHolder.json("erase", "p2p/a/b", { who: "brief" }, { allMs: 60_000, answerMs: 50 }),
  ];
  await eventually(() => asked.length >= 5);
  slow.resolve({ next: null });
  assert.deepEqual(await Promise.all(answers), [{ next: null }, { next: null }]);
  assert.equal(asked.filter((who) => who === "patient").length, 1);
});

test("who has asked for as long as it may is told that the outcome is unknown", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { log } = recordingLogger();
  const nats = await connectNats({ url: server.url, name: "test", log });
  t.after(() => nats.close());
  const lookup = { of: () => "nobody", refresh: async () => {}, told: async () => {} } as unknown as HolderLookup;
  const asking = createAskHolder(nats, lookup).json("erase", "p2p/a/b", {}, { allMs: 300, answerMs: 100 });
  await assert.rejects(asking, { code: "unavailable", message: /outcome is unknown/ });
});
