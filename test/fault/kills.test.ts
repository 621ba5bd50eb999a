// Guarantees 1 and 3 under kill -9 of everything: whole workloads, judged by the checker.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterOfFile } from "./cluster-of-file.ts";
import { both } from "./faults/fault.ts";
import { freeze, kill, parts } from "./faults/processes.ts";
import { flush } from "./faults/servers.ts";
import { runRound } from "./round.ts";
import { seeded } from "./seeded.ts";
import { storm } from "./storm.ts";

const seed = 1;
const perSecond = 60;

describe("under load", () => {
  const cluster = clusterOfFile();

  test("1. an acknowledged message is stored, survives kill -9 of any part, and is in every later sync", async (t) => {
    const random = seeded(seed);
    const weather = storm(cluster(), { random, first: parts.map(kill), say: (line) => t.diagnostic(line) });
    const round = await runRound(cluster(), { name: "one", random, perSecond }, weather);
    assert.deepEqual(round.violations, []);
    assert.equal(round.lost, 0);
    assert.equal(round.acknowledged, round.sent);
  });

  test("3. seq has no gaps and is never used twice, and a device's messages keep their order, while writers die and freeze", async (t) => {
    const random = seeded(seed + 1);
    const first = [both(kill("history"), kill("router")), freeze("history"), both(flush, kill("router"))];
    const weather = storm(cluster(), { random, first, say: (line) => t.diagnostic(line) });
    const round = await runRound(cluster(), { name: "three", random, perSecond }, weather);
    assert.deepEqual(round.violations, []);
    assert.equal(round.duplicated, 0);
  });
});
