import assert from "node:assert/strict";
import { test } from "node:test";
import type { Waiting } from "./away.ts";
import { openForgotten } from "./forgotten.ts";

const session = { connectionId: "c", username: "ann", endsAt: 1, byBroker: false, isLearned: false };

function open(away: string[]) {
  const waiting = new Map<string, Waiting>(away.map((clientId) => [clientId, session]));
  const forgotten = openForgotten({
    forget(clientId) {
      const found = waiting.get(clientId);
      waiting.delete(clientId);
      return found;
    },
    putBack: (clientId, found) => void waiting.set(clientId, found),
  });
  return { forgotten, away: () => [...waiting.keys()] };
}

const left = (clientId: string, connectedAt: number) => ({ clientId, connectedAt });

test("a session waits again when its device left before the broker had taken its CONNECT", () => {
  const { forgotten, away } = open(["ann:phone", "ann:desk"]);
  forgotten.claimed("ann:phone");
  assert.deepEqual(away(), ["ann:desk"]);
  assert.equal(forgotten.putBack(left("ann:phone", 0)), true);
  assert.deepEqual(away(), ["ann:desk", "ann:phone"]);
});

test("also where a second connection of the device came meanwhile, and the broker took neither", () => {
  const { forgotten, away } = open(["ann:phone"]);
  forgotten.claimed("ann:phone");
  forgotten.claimed("ann:phone");
  assert.equal(forgotten.putBack(left("ann:phone", 0)), true);
  assert.deepEqual(away(), ["ann:phone"]);
});

test("once the broker has taken the CONNECT, or the session is ended, the one before is over", () => {
  const { forgotten, away } = open(["ann:phone"]);
  forgotten.claimed("ann:phone");
  forgotten.over("ann:phone");
  assert.equal(forgotten.putBack(left("ann:phone", 5)), false);
  forgotten.claimed("ann:new");
  assert.equal(forgotten.putBack(left("ann:new", 0)), false);
  assert.deepEqual(away(), []);
});
