// kill -9 at each named point of the path, again and again while messages flow.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually, type Part, startTestCluster } from "@parley/testkit";
import { runRound } from "./round.ts";
import { seeded } from "./seeded.ts";

const deaths = 2;
// What waits while the router is away is sent again and again: all of it must be fewer packets than one life takes.
const window = 3;
const points: readonly { point: string; part: Part; every: number }[] = [
  { point: "before-append", part: "router", every: 200 },
  { point: "before-deliver", part: "router", every: 200 },
  { point: "before-puback", part: "router", every: 200 },
  { point: "before-commit", part: "history", every: 60 },
  { point: "before-reply", part: "history", every: 60 },
];

describe("1. an acknowledged message survives, 2. nothing is stored twice, 3. nothing is reordered", () => {
  for (const { point, part, every } of points)
    test(`when ${part} dies ${point} at every ${every}th pass`, async (t) => {
      const cluster = await startTestCluster(t, { env: { PARLEY_CRASH_AT: `${point}:${every}` } });
      const options = { name: "point", random: seeded(1), perSecond: 60, window, brief: true };
      const round = await runRound(cluster, options, async () => {
        await eventually(() => cluster.restarts(part) >= deaths, { timeoutMs: 60_000 });
        return [];
      });
      t.diagnostic(`${cluster.restarts(part)} deaths, ${round.sent} sent, ${round.stored} stored`);
      assert.deepEqual(round.violations, []);
      assert.equal(round.acknowledged, round.sent);
      assert.ok(cluster.restarts(part) >= deaths);
    });
});
