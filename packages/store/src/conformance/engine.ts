// What a suite is given of an engine.
import type { TestContext } from "node:test";
import type { Store } from "../store.ts";

/** A store of its own, empty at first. `reopen` closes it and opens the same one again. */
export type EngineUnderTest = { store: Store; reopen(): Promise<Store> };

/**
 * `address` prepares where the store will be and says how it is opened. What it registers for after the test runs when the
 * store is closed: hooks run in the order in which they were registered.
 */
export async function engineUnderTest(
  t: TestContext,
  address: () => Promise<() => Promise<Store>>,
): Promise<EngineUnderTest> {
  let store: Store | undefined;
  t.after(() => store?.close());
  const open = await address();
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

/** Called once a test; what it opens it closes with `t.after`. */
export type OpenEngine = (t: TestContext) => Promise<EngineUnderTest>;
