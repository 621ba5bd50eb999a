// Two of every service on MongoDB where there is one (else two of what may be two, on SQLite), and the faults that only
// then exist: whole workloads, judged by the checker.
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { stageOfFile } from "./cluster-of-file.ts";
import { routerFromHistory } from "./faults/catalogue.ts";
import { clockWrong } from "./faults/clocks-and-disks.ts";
import { both, type Fault } from "./faults/fault.ts";
import { deviceTrouble, linkedServers, linkTrouble, type Trouble, troubles } from "./faults/links.ts";
import { freezePastLease, kill, restart } from "./faults/processes.ts";
import {
  brokerWithoutSessions,
  brokerWithSessions,
  redisAway,
  redisSlow,
  streamsDeleted,
  twoHolders,
} from "./faults/servers.ts";
import { runRound } from "./round.ts";
import { seeded } from "./seeded.ts";
import { storm } from "./storm.ts";

const perSecond = 50;
let rounds = 0;

describe("with two of every service", () => {
  const stage = stageOfFile({ store: undefined, replicas: 2 });

  /** A round under these faults, one after the other, from which nothing may be missing. */
  async function survives(t: TestContext, ...first: readonly Fault[]): Promise<void> {
    const { cluster, devices, store } = stage();
    rounds += 1;
    const random = seeded(rounds);
    const weather = storm(cluster, { random, first, say: (line) => t.diagnostic(line) });
    const round = await runRound(cluster, { name: `r${rounds}-`, random, perSecond, link: devices }, weather);
    t.diagnostic(`${store}: ${round.sent} sent, ${round.received} received live, ${round.shown} shown`);
    assert.deepEqual(round.violations, []);
    assert.equal(round.acknowledged, round.sent);
    assert.ok(round.shown > 0);
  }

  test("1. nothing acknowledged is lost when the broker and JetStream lose their data, or NATS the answer of history", (t) =>
    survives(t, brokerWithSessions, streamsDeleted, routerFromHistory));

  test("3. seq has no gaps and is never used twice with two holders at once, and with one that wakes up past its lease", (t) =>
    survives(
      t,
      both(twoHolders("history"), twoHolders("router")),
      both(freezePastLease("history"), freezePastLease("router")),
    ));

  test("4. every member device gets each message, and the SDK shows it once and in order, though the broker forgets all sessions", (t) =>
    survives(t, brokerWithoutSessions, kill("edge")));

  test("7. a member removed in mid-stream gets nothing stored after it and all that was before, while holders change", (t) =>
    survives(t, restart("history"), kill("router"), kill("history"), restart("router")));

  test("1. nothing acknowledged is lost while Redis is away for longer than a lease, and slow", (t) =>
    survives(t, redisAway(6_000, 6_000), redisSlow(4_000)));

  test("1. nothing acknowledged is lost on links that are half-open or drip, of services and of devices", (t) => {
    const { devices, cluster } = stage();
    const [halfOpen, drip] = [troubleOf("half-open"), troubleOf("dripping")];
    return survives(
      t,
      deviceTrouble(devices, halfOpen),
      deviceTrouble(devices, drip),
      linkedServers(cluster)
        .map((server) => linkTrouble(server, halfOpen))
        .reduce(both),
    );
  });

  test("6. tokens are good and devices come in while the clocks of services step an hour forward and back", async (t) => {
    if (!stage().cluster.hasClocks) return t.skip("LIBFAKETIME IS NOT INSTALLED (apt: faketime): no clock can be set");
    const wrong = (hours: number[]) =>
      (["auth-webhook", "api", "presence", "history", "router"] as const)
        .map((service) => clockWrong(service, { forMs: 4_000, hours }))
        .reduce(both);
    // Whoever comes back must be let in by the wrong clock.
    await survives(t, both(wrong([1]), kill("edge")), both(wrong([-1]), kill("edge")));
  });
});

// Half a minute of each is for the long run.
function troubleOf(name: string): Trouble {
  const found = troubles.find((trouble) => trouble.name === name);
  if (!found) throw new Error(`there is no trouble ${name}`);
  return { ...found, minMs: 4_000, maxMs: 4_001 };
}
