// Whom api tells of a block before it answers, while two replicas of history may hold the same.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { type DoorsRequest, historySubject } from "@parley/protocol";
import { answerJson, connectNats, type HolderLookup, sureMs } from "@parley/runtime";
import { serviceContext, startServers } from "@parley/testkit";
import { tellDoors } from "../src/tell-doors.ts";

const { nats: server } = await startServers({ after }, { nats: true });
const { log } = serviceContext("api");
const nats = await connectNats({ url: server.url, name: "test", log });
after(() => nats.close());

const told: string[] = [];
beforeEach(() => void told.splice(0));
for (const instance of ["holder", "former"])
  answerJson<DoorsRequest>(nats, historySubject("doors", instance), undefined, () => {
    told.push(instance);
    return {};
  });

function tell(former: [string, number][]): Promise<void> {
  const nothing = async () => undefined;
  const holders: HolderLookup = {
    of: () => "holder",
    refresh: nothing,
    told: nothing,
    instances: () => new Set(["holder"]),
    former: () => new Map(former),
    close: () => undefined,
  };
  return tellDoors({ nats, holders, isClosed: () => false }, [
    { owner: "alice", other: "bob", version: 1, blocked: true, contact: false },
  ]);
}

test("a replica that lost its partitions, and may not know it, is told of a block before that is answered", async () => {
  await tell([["former", performance.now() - 60_000]]);
  assert.deepEqual(told.sort(), ["former", "holder"]);
});

test("one that does not answer is waited for until it cannot be sure of its partitions any more, and asks the store", async () => {
  const since = performance.now();
  await tell([["frozen", since]]);
  assert.ok(performance.now() - since > sureMs);
  assert.deepEqual([...new Set(told)], ["holder"]);
});

test("one that is long gone holds up no block", async () => {
  const since = performance.now();
  await tell([["dead", since - 60_000]]);
  assert.deepEqual(told, ["holder"]);
});
