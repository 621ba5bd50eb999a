import assert from "node:assert/strict";
import { test } from "node:test";
import { createUnderWay } from "./under-way.ts";

test("more than the count or the bytes is refused, and taken again when something has ended", () => {
  const underWay = createUnderWay({ count: 2, bytes: 100 });
  const first = underWay.begin("ann", 60);
  assert.ok(first);
  assert.equal(underWay.begin("ann", 60), undefined, "bytes");
  const second = underWay.begin("ann", 10);
  assert.ok(second);
  assert.equal(underWay.begin("ann", 1), undefined, "count");
  first();
  first();
  assert.equal(underWay.count(), 1, "ended once");
  assert.ok(underWay.begin("ann", 60));
});

test("one device has no more under way than its share, whatever others have, and gets it back", () => {
  const underWay = createUnderWay({ count: 10, countEach: 2 });
  const first = underWay.begin("ann", 1);
  assert.ok(first && underWay.begin("ann", 1));
  assert.equal(underWay.begin("ann", 1), undefined);
  assert.ok(underWay.begin("bob", 1));
  first();
  assert.ok(underWay.begin("ann", 1));
  assert.equal(underWay.begin("ann", 1), undefined);
  assert.ok(underWay.begin(undefined, 1), "what is no request counts towards all alone");
});
