import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Message } from "@parley/client";
import { describeFailure, exitCodeOf, UsageError } from "./failure.ts";
import { formatContent } from "./format.ts";
import { printable } from "./output.ts";
import { startProgress } from "./progress.ts";

test("nothing that others write moves the cursor, colours, turns or renames our terminal", () => {
  const hostile = "a\x1b[2Jb\x1b]0;title\x07c\rd\x9b31me\u202ef\u2066g\x7f\u2028h\u0000i";
  assert.match(printable(hostile), /^[^\p{Cc}\u2028\u202e\u2066]*$/u);
  assert.equal(printable("👩‍👩‍👧 é مرحبا"), "👩‍👩‍👧 é مرحبا");
  assert.equal(printable("one\ntwo\tthree"), "one\n    two three");
});

test("every content is shown in a line of text", () => {
  const content = (value: object) => formatContent(value as Message["content"]);
  assert.equal(content({ type: "text", data: "hi" }), "hi");
  assert.equal(content({ type: "reaction", seq: 3, data: "👍" }), "(reaction of #3) 👍");
  assert.equal(content({ type: "recall", seq: 3 }), "(recall of #3)");
  assert.equal(content({ type: "x-a", data: { b: 1 } }), '(x-a) {"b":1}');
  assert.equal(content({ type: "text", data: 5 }), "(text) 5");
  assert.equal(content({ type: "event", data: { event: "invite", by: "a", uids: ["b", "c"] } }), "* a added b, c");
  assert.equal(content({ type: "event", data: null }), "* something happened");
});

test("a failure is one line and its exit code tells what to do", () => {
  const failures: [unknown, number, string][] = [
    [new UsageError("bob?"), 2, "parley: bob?"],
    [new AppError("unauthenticated", "log in"), 3, "parley: log in"],
    [new AppError("unavailable", "away"), 4, "parley: away"],
    [new AppError("not_found", "no such user"), 1, "parley: no such user"],
    [new Error("two\n  lines"), 1, "parley: two; lines"],
    ["text", 1, "parley: text"],
  ];
  for (const [error, code, line] of failures) {
    assert.deepEqual([exitCodeOf(error), describeFailure(error, false)], [code, line]);
    assert.equal(typeof JSON.parse(describeFailure(error, true)).error.code, "string");
  }
});

test("progress is drawn on terminals only", () => {
  for (const isTTY of [true, false]) {
    let written = "";
    const stream = { isTTY, write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream;
    const progress = startProgress("history", stream);
    progress.update(50, 200);
    progress.end();
    assert.equal(written.includes("25 %  50/200"), isTTY);
  }
});
