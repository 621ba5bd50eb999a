import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HookLines,
  hookLineMax,
  hookLinkEnds,
  readHookAnswer,
  readHookQuestion,
  writeHookAnswer,
  writeHookQuestion,
} from "./hook-link.ts";

test("questions and answers are read as they were written, however their bytes are cut", () => {
  const body = { client_id: "zoë:\n\u2028", payload: "😀" };
  const bytes = new TextEncoder().encode(
    writeHookQuestion(7, "auth_on_register", body) + writeHookQuestion(8, "x", {}) + hookLinkEnds,
  );
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new HookLines();
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...(lines.push(bytes.subarray(at, at + size)) ?? []));
    assert.deepEqual(found.slice(0, 2).map(readHookQuestion), [
      { id: 7, hook: "auth_on_register", body },
      { id: 8, hook: "x", body: {} },
    ]);
    assert.equal(readHookAnswer(found[2] ?? ""), "ends");
  }
  const answer = writeHookAnswer(7, 300, '{"result":"ok"}').trimEnd();
  assert.deepEqual(readHookAnswer(answer), { id: 7, maxAgeSeconds: 300, body: { result: "ok" } });
});

test("a line that is no question is none, and no answer either", () => {
  for (const line of ["", "x", "{}", "null", "[1]", '["1","h",{}]', '[1,"h"]', '[1,"h",null]', '[1,"h",[]]', "[1,2,{}"])
    assert.equal(readHookQuestion(line), undefined, line);
  for (const line of ["", "x", "{}", "null", "[1]", '["1",0,{}]', '[1,"0",{}]', "[1,0,{}", "[[]]"])
    assert.equal(readHookAnswer(line), undefined, line);
});

test("a line longer than any may be is refused before it ends", () => {
  const lines = new HookLines();
  const part = new Uint8Array(hookLineMax / 2).fill(65);
  assert.deepEqual([lines.push(part), lines.push(part)], [[], []]);
  assert.equal(lines.push(Uint8Array.of(65)), undefined);
});
