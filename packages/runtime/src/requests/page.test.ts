import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@parley/protocol";
import { fittingCount } from "./page.ts";
import { openRevocationList } from "./revocation-list.ts";

test("a page has the rows that fit with their commas, and one row whatever its size", () => {
  assert.deepEqual(
    [9, 10, 14, 15, 100].map((bytes) => fittingCount(["1234", "1234", "1234"], bytes)),
    [1, 2, 2, 3, 3],
  );
  assert.deepEqual([fittingCount(["1234"], 1), fittingCount([], 1), fittingCount(["1", "éé"], 6)], [1, 0, 1]);
});

test("revocations of the longest names come in pages that fit into a reply, each of them once", () => {
  const list = openRevocationList();
  const until = Date.now() / 1000 + 3_600;
  const uid = (index: number) => String(index).padStart(32, "u");
  for (let index = 0; index < 5_000; index++)
    list.add({ uid: uid(index), clientId: `${uid(index)}:${"d".repeat(31)}`, before: until / 3, until });
  const found: string[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const page = list.page(after, 5_000);
    assert.ok(Buffer.byteLength(JSON.stringify(page)) < limits.requestBytes);
    found.push(...page.revocations.map((one) => one.uid));
    after = page.next;
  }
  assert.equal(new Set(found).size, 5_000);
  assert.equal(found.length, 5_000);
});
