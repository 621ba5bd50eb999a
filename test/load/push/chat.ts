// The same chat with push and without it: two clusters side by side, of which one at a time has something to do.
import { type Cluster, type ProviderApart, startProviderApart } from "@parley/testkit";
import { serverNames } from "../../../packages/testkit/src/parts/servers.ts";
import { serviceNames } from "../../../packages/testkit/src/parts/services.ts";
import { openLoop, type Percentiles } from "../open-loop.ts";
import { openPair, type Pair } from "../pairs.ts";
import { makePeople, type People } from "../people.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { pause, saturate } from "../saturate.ts";
import { type Bench, sized } from "../scenario.ts";
import { withEndings } from "./endings.ts";
import { registerTokens } from "./holders.ts";

const pairsMax = 60;
const inFlight = 1_000;
export const rate = 1_000;
/** Of the delay and a moment more: after so long without a notification there is none to come. */
const quietSeconds = 4;
const settleSeconds = 1;

/** Which receivers are connected. Of those that are away nothing is delivered, so their messages count when acknowledged. */
export const crowds = ["all connected", "a third away"] as const;
export type Crowd = (typeof crowds)[number];

export interface Chat {
  perSecond: number;
  cpu: ByPart;
  delivery: Percentiles;
  missing: number;
  /** that came of both measurements */
  notifications: number;
}

export type Round = Record<Crowd, { with: Chat; without: Chat }>;

interface Side {
  cluster: Cluster;
  people: People;
  apart: ProviderApart;
}

export function chatInTurns(bench: Bench): Promise<Round[]> {
  const allButPush = [...serverNames, ...serviceNames.filter((name) => name !== "push")];
  return withEndings(async (t) => {
    const apart = await startProviderApart(t, "apns");
    return bench.withCluster({ env: apart.settings }, (on) =>
      bench.withCluster({ parts: allButPush }, async (off) => {
        const pairs = sized(bench, pairsMax, 9);
        const sides = {
          with: { cluster: on, people: await makePeople(on, pairs), apart },
          without: { cluster: off, people: await makePeople(off, pairs), apart },
        };
        const receivers = Array.from({ length: pairs }, (_, index) => sides.with.people.throughEdge(index).receiver);
        const logins = receivers.map(({ password }) => password);
        await registerTokens(on, logins, "apns");
        const rounds: Round[] = [];
        for (let round = 0; round < sized(bench, bench.rounds, 1); round++)
          rounds.push(await measureRound(bench, sides, { pairs, round }));
        return rounds;
      }),
    );
  });
}

// Who begins changes from round to round, so that a machine that slows down favours nobody.
async function measureRound(
  bench: Bench,
  sides: Record<"with" | "without", Side>,
  { pairs, round }: { pairs: number; round: number },
): Promise<Round> {
  const found: Partial<Round> = {};
  for (const crowd of crowds) {
    const order = round % 2 === 0 ? (["with", "without"] as const) : (["without", "with"] as const);
    const both: Partial<Record<"with" | "without", Chat>> = {};
    for (const which of order) {
      const chat = await measureChat(bench, sides[which], crowd, pairs);
      both[which] = chat;
      const { p50, p99 } = chat.delivery;
      const figures = `${Math.round(chat.perSecond)}/s, p50 ${p50} ms, p99 ${p99} ms at ${rate}/s`;
      bench.say(`${crowd}, ${which} push: ${figures}, ${chat.notifications} notifications`);
    }
    found[crowd] = both as Round[Crowd];
  }
  return found as Round;
}

async function measureChat(bench: Bench, side: Side, crowd: Crowd, count: number): Promise<Chat> {
  const { seconds, warmupSeconds, quick } = bench;
  const { cluster, apart } = side;
  const before = (await apart.figures()).count;
  const pairs = await openPairs(side, crowd, count);
  try {
    await pause(settleSeconds);
    const sample = () => cpuMicros(cluster.run().processes);
    const options = { inFlight: quick ? 32 : inFlight, warmupSeconds, seconds, sample };
    const { perSecond, messages, ...cpu } = await saturate(pairs, options);
    await quiet(apart);
    const { delivery, missing } = await openLoop(pairs, { rate, warmupSeconds, seconds });
    await quiet(apart);
    const notifications = (await apart.figures()).count - before;
    return { perSecond, cpu: difference(cpu.after, cpu.before, messages), delivery, missing, notifications };
  } finally {
    await Promise.all(pairs.map((pair) => pair.close()));
  }
}

/** Through the edge, for presence has to know who is there. */
function openPairs({ cluster, people }: Side, crowd: Crowd, count: number): Promise<Pair[]> {
  const { host, port } = cluster.run().mqtt;
  const url = `mqtt://${host}:${port}`;
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const isAway = crowd === "a third away" && index % 3 === 0;
      return openPair({ mode: "parley", url, index, isAway, ...people.throughEdge(index) });
    }),
  );
}

/** Nobody is being notified any more. */
async function quiet(apart: ProviderApart): Promise<void> {
  for (let before = -1, now = 0; before !== now; ) {
    before = (await apart.figures()).count;
    await pause(quietSeconds);
    now = (await apart.figures()).count;
  }
}
