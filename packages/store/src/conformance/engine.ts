// What a suite is given of an engine.
import type { TestContext } from "node:test";
import type { Store } from "../open-store.ts";

/** A store of its own, empty at first. `reopen` closes it and opens the same one again. */
export type EngineUnderTest = { store: Store; reopen(): Promise<Store> };

/** Called once a test; what it opens it closes with `t.after`. */
export type OpenEngine = (t: TestContext) => Promise<EngineUnderTest>;
