import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hooks } from "../hooks/hooks.ts";
import { openAway } from "./away.ts";

/** What is done with sessions that another edge wrote down, whose devices are connected there, by which connection, or not. */
function open(connected: Record<string, string>) {
  const did: string[] = [];
  const hooks = {
    ask: async (_: string, { client_id: clientId, connection_id: than }: Record<string, string>) =>
      (connected[clientId!] ?? than) !== than ? { verdict: "refused", error: "connected" } : { verdict: "ok" },
  } as unknown as Hooks;
  const note = (what: string) => (clientId: string) => void did.push(`${what} ${clientId}`);
  const away = openAway({
    hooks,
    endSession: async (clientId) => {
      did.push(`end ${clientId}`);
      return "ended";
    },
    userMax: 2,
    isHere: () => false,
    tell: ({ clientId }, hook) => void did.push(`${hook} ${clientId}`),
    records: { drop: note("drop"), forget: note("forget"), learn: () => {}, connectionsOf: () => ["c"] },
    own: { away: () => {}, back: () => {} },
  });
  const learn = (...clientIds: string[]) => {
    const record = { username: "ann", sessionExpirySeconds: 3600, connectionId: "c" };
    away.learn(clientIds.map((clientId) => ({ clientId, ...record })));
  };
  const passed = async (seconds: number) => {
    away.sweep(performance.now() + seconds * 1000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { did, learn, passed };
}

test("a session learned from another edge, whose device is connected there, is left to that edge", async () => {
  const { did, learn, passed } = open({ "ann:here": "c" });
  learn("ann:here", "ann:gone");
  await passed(60);
  assert.deepEqual(did, []);
  await passed(91);
  assert.deepEqual(did, ["forget ann:here"]);
  // Whenever it leaves there, its hour begins then.
  await passed(3_601);
  assert.deepEqual(did.slice(1), ["end ann:gone", "drop ann:gone", "on_session_expired ann:gone"]);
});

test("of learned sessions only those whose devices are connected nowhere count towards their user's", async () => {
  const { did, learn, passed } = open({ "ann:1": "c", "ann:2": "c" });
  learn("ann:1", "ann:2", "ann:3", "ann:4");
  await passed(91);
  assert.deepEqual(did.toSorted(), ["forget ann:1", "forget ann:2"]);
});

test("of a session learned from another edge that went on by a later connection nothing stays written down", async () => {
  const { did, learn, passed } = open({ "ann:moved": "later" });
  learn("ann:moved");
  await passed(91);
  assert.deepEqual(did, ["drop ann:moved"]);
});

test("of many sessions learned at once some are asked about at each look, and all in the end", async () => {
  const names = Array.from({ length: 1_200 }, (_, index) => `ann:${index}`);
  const { did, learn, passed } = open(Object.fromEntries(names.map((name) => [name, "c"])));
  learn(...names);
  for (const known of [500, 1000, 1200]) {
    await passed(91);
    assert.equal(did.length, known);
  }
});
