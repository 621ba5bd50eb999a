import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnswer } from "./hooks.ts";

test("only a result that VerneMQ knows is an answer", () => {
  const verdict = (body: unknown) => readAnswer({ body, maxAgeSeconds: 0 }).verdict;
  assert.equal(verdict({ result: "ok" }), "ok");
  assert.equal(verdict({ result: "next" }), "refused");
  assert.equal(verdict({ result: { error: "not_allowed" } }), "refused");
  assert.equal(verdict({ result: { error: 7 } }), "refused");
  for (const body of [undefined, null, [], {}, "ok", { result: "OK" }, { result: null }, { result: {} }])
    assert.equal(verdict(body), "failed", JSON.stringify(body));
  assert.equal(verdict({ result: ["ok"] }), "failed");
  assert.equal(readAnswer({ failed: "timeout" }).verdict, "failed");
});
