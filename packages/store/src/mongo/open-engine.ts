// A MongoDB store in a database of its own, for tests.
import type { TestContext } from "node:test";
import { testMongo } from "@parley/testkit";
import type { EngineUnderTest } from "../conformance/index.ts";
import { openStore, type Store } from "../open-store.ts";

export async function openEngine(t: TestContext): Promise<EngineUnderTest> {
  let store: Store | undefined;
  // Before the database goes: hooks run in the order in which they were registered.
  t.after(() => store?.close());
  const mongo = await testMongo(t);
  if (!mongo) throw new Error("no MongoDB here");
  const open = () => openStore(mongo.url, { service: "history" });
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
