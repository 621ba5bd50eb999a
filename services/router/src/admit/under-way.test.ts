import assert from "node:assert/strict";
import { test } from "node:test";
import { createUnderWay } from "./under-way.ts";

test("more than the count or the bytes is refused, and taken again when something has ended", () => {
  const underWay = createUnderWay({ count: 2, bytes: 100 });
  const first = underWay.begin(60);
  assert.ok(first);
  assert.equal(underWay.begin(60), undefined, "bytes");
  const second = underWay.begin(10);
  assert.ok(second);
  assert.equal(underWay.begin(1), undefined, "count");
  first();
  first();
  assert.equal(underWay.count(), 1, "ended once");
  assert.ok(underWay.begin(60));
});
