// What an entry of the log is found by.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry } from "@parley/protocol";
import { type IndexedMessage, lastVersion } from "@parley/store";
import { editedSeqOf, indexedOf } from "./indexed.ts";

function entry(type: string, content: unknown): StoredEntry {
  const names = { conv: "room/r", from: "ann", device: "ann:d" };
  return {
    pos: 9,
    seq: 7,
    ts: 5,
    memberSeq: 1,
    ...names,
    type,
    body: Buffer.from(JSON.stringify({ id: "x", content })),
  };
}

const cases: [what: string, type: string, content: unknown, indexed: Partial<IndexedMessage> | undefined][] = [
  ["a text", "text", { type: "text", data: "hi" }, { seq: 7, version: 7, text: "hi", has: [] }],
  ["a link", "text", { type: "text", data: "see HTTPS://a.b" }, { has: ["link"] }],
  ["no link", "text", { type: "text", data: "http:// www." }, { has: [] }],
  [
    "a picture with a caption",
    "image",
    { type: "image", data: { name: "cat.png", url: "x", caption: "my cat" } },
    { text: "my cat\ncat.png", has: ["file", "image"] },
  ],
  ["a file beside its data", "file", { type: "file", name: "plan.pdf" }, { text: "plan.pdf", has: ["file"] }],
  [
    "a poll",
    "poll",
    { type: "poll", question: "When?", options: ["now", { text: "later" }] },
    { text: "When?\nnow\nlater" },
  ],
  ["an edit", "edit", { type: "edit", seq: 3, data: "new" }, { seq: 3, version: 7, text: "new" }],
  ["a recall", "recall", { type: "recall", seq: 3 }, { seq: 3, version: 7, text: null }],
  ["what was erased", "text", { type: "erased" }, { seq: 7, version: lastVersion, text: null }],
  ["data of an application's own", "x-call.offer", { type: "x-call.offer", data: "v=0" }, { text: "" }],
  ["an event", "event", { type: "event", data: { name: "Tea" } }, undefined],
  ["a reaction", "reaction", { type: "reaction", seq: 3, data: "👍" }, undefined],
  ["an edit that names no message", "edit", { type: "edit", seq: "3", data: "x" }, undefined],
  ["an erased edit", "edit", { type: "erased" }, undefined],
  ["content that is none", "text", [1], { text: "" }],
];

test("an edit of a picture is found by its new words and by all else that the picture still is", () => {
  const picture = { ...entry("image", { type: "image", data: "old words", name: "cat.png" }), seq: 3 };
  const edit = entry("edit", { type: "edit", seq: 3, data: "new words www.a" });
  assert.equal(editedSeqOf(edit), 3);
  const { text, has, seq, version } = indexedOf(edit, picture)!;
  assert.deepEqual([text, has, seq, version], ["new words www.a\ncat.png", ["file", "image", "link"], 3, 7]);
});

for (const [what, type, content, indexed] of cases)
  test(`${what} is found by what people read of it`, () => {
    const found = indexedOf(entry(type, content));
    assert.deepEqual(found && { ...found, ...indexed }, indexed && found);
  });
