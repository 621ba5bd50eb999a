import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../errors.ts";
import type { Parley } from "./dialect.ts";
import { spellOut } from "./spell-out.ts";

type Call = Parley["call"];
const publicUrl = "https://chat.example";
const reaction = { conv: "room/tea", seq: 9, from: "bob", content: { type: "reaction", seq: 4, data: "👍" } };

// History's answer to whoever asks behind `seq - 1`.
function historyOf(messages: object[], asked: unknown[] = []): Pick<Parley, "call" | "publicUrl"> {
  const call = async (_method: unknown, params: unknown) => {
    asked.push(params);
    return { messages };
  };
  return { publicUrl, call: call as unknown as Call };
}

test("a reaction is told with the first words of its message, read as its reader may", async () => {
  const asked: unknown[] = [];
  const message = { conv: "room/tea", seq: 4, from: "alice", content: { type: "text", data: "lunch?" } };
  assert.equal(await spellOut(reaction, historyOf([message], asked)), "👍 to: lunch?");
  assert.deepEqual(asked, [{ conv: "room/tea", after: 3, limit: 1 }]);
});

test("one whose message cannot be read is told by its place", async () => {
  assert.equal(await spellOut(reaction, historyOf([])), "👍 to: message 4");
  assert.equal(
    await spellOut(reaction, historyOf([{ seq: 5, from: "a", content: { type: "text" } }])),
    "👍 to: message 4",
  );
  const call = (async () => Promise.reject(new AppError("unavailable"))) as unknown as Call;
  assert.equal(await spellOut(reaction, { publicUrl, call }), "👍 to: message 4");
});

test("a plain message asks nobody", async () => {
  const asked: unknown[] = [];
  const message = { conv: "room/tea", seq: 9, from: "bob", content: { type: "text", data: "hi" } };
  assert.equal(await spellOut(message, historyOf([], asked)), "hi");
  assert.deepEqual(asked, []);
});
