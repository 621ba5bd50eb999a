// A SQLite store in a folder of its own, for tests.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { EngineUnderTest } from "../conformance/index.ts";
import { openStore, type Store } from "../open-store.ts";

export async function openEngine(t: TestContext): Promise<EngineUnderTest> {
  let store: Store | undefined;
  // Before the folder goes: hooks run in the order in which they were registered.
  t.after(() => store?.close());
  const folder = await freshFolder(t);
  const open = () => openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  store = await open();
  return {
    store,
    async reopen() {
      await store?.close();
      store = await open();
      return store;
    },
  };
}

/** A folder that is removed after the test. */
export async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-store-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
