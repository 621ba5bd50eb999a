import assert from "node:assert/strict";
import { test } from "node:test";
import { startDescribing } from "./copy-progress.ts";

test("the progress of a copy tells what is done, how fast, and what is left where that is known", () => {
  const describe = startDescribing();
  const progress = { step: "copy" as const, entries: 500, documents: 0, files: 0, bytes: 0, entriesLeft: 9_500 };
  assert.equal(describe(progress, 1_000), "copying: 500 entries, 0 documents, at most 9500 entries left");
  assert.equal(
    describe({ ...progress, entries: 4_500, entriesLeft: 5_500 }, 3_000),
    "copying: 4500 entries, 0 documents, 2000/s, at most 5500 entries left",
  );
  assert.equal(
    describe({ ...progress, entries: 10_000, documents: 2_000, files: 300, bytes: 4e6, entriesLeft: 0 }, 6_000),
    "copying: 10000 entries, 2000 documents, 300 files of 4 MiB, 2360/s",
  );
  assert.equal(
    describe({ ...progress, step: "compare", entries: 50, entriesLeft: 9_950 }, 7_000),
    "comparing: 50 entries, 0 documents, at most 9950 entries left",
  );
});
