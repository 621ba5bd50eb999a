import assert from "node:assert/strict";
import { test } from "node:test";
import { progressLine } from "./parts.ts";

test("while parts start, one line names them; what they wait for is said only when it takes long", () => {
  const waiting = new Map([
    ["history", "connect ECONNREFUSED 127.0.0.1:1"],
    ["router", "broker: not connected"],
  ]);
  assert.equal(progressLine(waiting, 5_040), "still starting (5 s): history, router");
  const late = progressLine(waiting, 35_000);
  assert.match(late, /history \(connect ECONNREFUSED 127\.0\.0\.1:1\), router \(broker: not connected\) for 35 s/);
});
