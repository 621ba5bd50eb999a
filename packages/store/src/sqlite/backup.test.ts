import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { append, entries, partitionOf } from "../conformance/entries.ts";
import { openStore } from "../open-store.ts";
import { freshFolder } from "./open-engine.ts";

const copies = 40;
const conv = "room/r1";

test("every copy that is made while entries are written is made, and has what was written before it", async (t) => {
  const folder = await freshFolder(t);
  const store = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => store.close());
  const writing = { on: true, seq: 0 };
  const written = (async () => {
    while (writing.on) {
      await append(store.log(), entries(conv, writing.seq + 1, 20));
      writing.seq += 20;
    }
  })();
  try {
    for (let copy = 0; copy < copies; copy++) {
      const to = join(folder, `copy${copy}`, "history");
      await mkdir(to, { recursive: true });
      await store.backup!(to, () => undefined);
    }
    const before = writing.seq;
    const last = join(folder, "last");
    await mkdir(join(last, "history"), { recursive: true });
    await store.backup!(join(last, "history"), () => undefined);
    const copied = await openStore(`sqlite:${last}`, { service: "history", lockWaitMs: 0 });
    t.after(() => copied.close());
    const { pos } = await copied.log().last(partitionOf(conv));
    assert.ok(pos >= before, `${pos} of ${before}`);
  } finally {
    writing.on = false;
    await written;
  }
});
