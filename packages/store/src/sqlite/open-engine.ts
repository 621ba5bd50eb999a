// A SQLite store in a folder of its own, for tests.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { engineUnderTest, type OpenEngine } from "../conformance/index.ts";
import { openStore } from "../open-store.ts";
import type { IndexPace } from "./log-index.ts";
import { openSqliteStore } from "./store.ts";

export const openEngine: OpenEngine = (t) =>
  engineUnderTest(t, async () => {
    const folder = await freshFolder(t);
    return () => openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  });

/** The same, which always has some entries in the index, some half and some not: as in the middle of much traffic. */
export const openIndexing: OpenEngine = (t) =>
  engineUnderTest(t, async () => {
    const folder = await freshFolder(t);
    return () => openSqliteStore(folder, { lockWaitMs: 0, facts: {}, pace: hastyPace });
  });

export const hastyPace: IndexPace = { batchEntries: 3, leastRows: 1, mostRows: 2 };

/** A folder that is removed after the test. */
export async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-store-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
