// A MongoDB store in a database of its own, for tests.
import { testMongo } from "@parley/testkit";
import { engineUnderTest, type OpenEngine } from "../conformance/index.ts";
import { openStore } from "../open-store.ts";

export const openEngine: OpenEngine = (t) =>
  engineUnderTest(t, async () => {
    const mongo = await testMongo(t);
    if (!mongo) throw new Error("no MongoDB here");
    return () => openStore(mongo.url, { service: "history" });
  });
