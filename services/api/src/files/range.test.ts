import assert from "node:assert/strict";
import { test } from "node:test";
import { namesTag, readRange } from "./range.ts";

test("a range is read as RFC 9110 has it", () => {
  const range = (start: number, end: number) => ({ kind: "range", start, end });
  const all = { kind: "all" };
  const none = { kind: "unsatisfiable" };
  const cases: [string | undefined, object][] = [
    [undefined, all],
    ["bytes=0-0", range(0, 0)],
    ["bytes=2-", range(2, 9)],
    ["bytes=2-100", range(2, 9)],
    ["bytes=-3", range(7, 9)],
    ["bytes=-30", range(0, 9)],
    ["bytes=10-", none],
    ["bytes=-0", none],
    ["bytes=5-3", all],
    ["bytes=0-1,3-4", all],
    ["bytes=-", all],
    ["lines=0-1", all],
    ["bytes=a-b", all],
    ["bytes=99999999999999999999-", all],
  ];
  for (const [header, asked] of cases) assert.deepEqual(readRange(header, 10), asked, header);
  assert.deepEqual(readRange("bytes=0-", 0), none);
});

test("If-None-Match names a tag in a list, weakly too", () => {
  assert.deepEqual(
    ['"a"', '"b", W/"a"', "*", '"b"', undefined].map((header) => namesTag(header, '"a"')),
    [true, true, true, false, false],
  );
});
