import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@parley/protocol";
import { changeOf } from "./changes.ts";

const message = (content: object) =>
  ({ conv: "room/tea", seq: 4, from: "ada", device: "ada:d", ts: 9, id: "e", to: "room/tea", content }) as Message;

test("an event of the server is a typed change, at its place", () => {
  const data = { event: "role", by: "ada", uids: ["ben"], role: "admin" };
  const found = changeOf(message({ type: "event", data }));
  assert.deepEqual(found, { conv: "room/tea", seq: 4, ts: 9, change: data });
  assert.equal(found?.change.event === "role" && found.change.role, "admin");
});

test("when messages disappear is told", () => {
  const data = { event: "expiry", by: "ada", uids: [], expiry: { seconds: 60, from: "sent" } };
  assert.deepEqual(changeOf(message({ type: "event", data }))?.change, data);
});

test("no message of a user passes for a change, and what a newer server tells is left out", () => {
  for (const content of [
    { type: "text", data: { event: "join", by: "ada", uids: ["ada"] } },
    { type: "event" },
    { type: "event", data: { event: "tomorrow" } },
    { type: "event", data: "join" },
  ])
    assert.equal(changeOf(message(content)), undefined);
});
