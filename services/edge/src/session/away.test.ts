import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hooks } from "../hooks/hooks.ts";
import { openAway } from "./away.ts";

/** What is done with sessions that another edge wrote down, whose devices are connected there or not. */
function open(connected: readonly string[]) {
  const did: string[] = [];
  const hooks = {
    ask: async (_: string, { client_id: clientId }: { client_id: string }) =>
      connected.includes(clientId) ? { verdict: "refused", error: "connected" } : { verdict: "ok" },
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
    tell: (clientId, hook) => void did.push(`${hook} ${clientId}`),
    records: { drop: note("drop"), forget: note("forget"), learn: () => {} },
  });
  const learn = (...clientIds: string[]) => {
    const record = { username: "ann", sessionExpirySeconds: 3600, connectionId: "c" };
    away.learn(new Map(clientIds.map((clientId) => [clientId, record])));
  };
  const passed = async (seconds: number) => {
    away.sweep(performance.now() + seconds * 1000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { did, learn, passed };
}

test("a session learned from another edge, whose device is connected there, is left to that edge", async () => {
  const { did, learn, passed } = open(["ann:here"]);
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
  const { did, learn, passed } = open(["ann:1", "ann:2"]);
  learn("ann:1", "ann:2", "ann:3", "ann:4");
  await passed(91);
  assert.deepEqual(did.toSorted(), ["forget ann:1", "forget ann:2"]);
});
