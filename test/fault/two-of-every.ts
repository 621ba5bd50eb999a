// Two of every service on MongoDB where there is one (else two of what may be two, on SQLite), and whole workloads under
// faults, judged by the checker.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { stageOfFile } from "./cluster-of-file.ts";
import type { Fault } from "./faults/fault.ts";
import { runRound } from "./round.ts";
import { seeded } from "./seeded.ts";
import type { Stage } from "./stage.ts";
import { storm } from "./storm.ts";

const perSecond = 50;
/** mongo-java-server looks at every document of a collection for each query: with more it is what everything waits for. */
const perSecondOnJava = 20;

type TwoOfEvery = {
  stage: () => Stage;
  /** A round under these faults, one after the other, from which nothing may be missing. */
  survives: (t: TestContext, ...faults: readonly Fault[]) => Promise<void>;
};

/** Registers the start and end of the cluster with the suite it is called in. */
export function twoOfEvery(): TwoOfEvery {
  const stage = stageOfFile({ store: undefined, replicas: 2 });
  let rounds = 0;

  async function survives(t: TestContext, ...faults: readonly Fault[]): Promise<void> {
    const { cluster, devices, store } = stage();
    rounds += 1;
    const random = seeded(rounds);
    const rate = store.includes("mongo-java-server") ? perSecondOnJava : perSecond;
    const weather = storm(cluster, { random, first: faults, say: (line) => t.diagnostic(line) });
    const round = await runRound(cluster, { name: `r${rounds}-`, random, perSecond: rate, link: devices }, weather);
    t.diagnostic(`${store}: ${round.sent} sent, ${round.received} received live, ${round.shown} shown`);
    assert.deepEqual(round.violations, []);
    assert.equal(round.acknowledged, round.sent);
    assert.ok(round.shown > 0);
  }

  return { stage, survives };
}
