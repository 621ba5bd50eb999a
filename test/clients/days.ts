// The days that every pair of stock clients lives through together: calm, bad packets, a killed edge, a restart of all.
import { setTimeout as sleep } from "node:timers/promises";
import { callHttp } from "@parley/client";
import { keysCreate, type ResultOf, uplinkTopic, usersCreate, usersLogin } from "@parley/protocol";
import { type Cluster, eventually } from "@parley/testkit";
import type { StockClient } from "./catalogue.ts";
import { type Chatter, type Logins, startChatter } from "./chatter.ts";

export interface Built {
  client: StockClient;
  folder: string;
}

/** One library, chatting with itself. */
export interface Pair {
  client: StockClient;
  both: [Chatter, Chatter];
}

/** What became of one library. */
export interface Outcome {
  client: StockClient;
  said: number;
  /** acknowledged and never given to the other side */
  lost: number;
  /** never acknowledged, however often the program sent it */
  unacked: number;
  /** one id at two places of the conversation: shown twice */
  doubled: number;
  /** given again with the same id, which a program shows once */
  again: number;
  backAfterKillMs: number | undefined;
  backAfterRestartMs: number | undefined;
  /** why a program ended by itself */
  gaveUp: string | undefined;
  words: readonly string[];
}

export interface Days {
  /** messages each way */
  messages: number;
  restart(cluster: Cluster): Promise<Cluster>;
  log(line: string): void;
  settleMs?: number;
}

const everyMs = 60;
/** A packet of more than the edge takes. */
const hugeBytes = 140_000;

export async function liveThrough(cluster: Cluster, built: Built[], days: Days): Promise<Outcome[]> {
  const { log, settleMs = 60_000 } = days;
  const pairs = await startPairs(cluster, built);
  try {
    const connected = await waitUp(pairs, 0, 60_000);
    log(`${connected.size} of ${pairs.length} pairs are connected`);
    const quarter = Math.floor(days.messages / 4);
    await chat(pairs, quarter);
    log("bad packets");
    for (const pair of pairs) publishBad(pair);
    await chat(pairs, quarter);
    log("kill -9 of the edge");
    const killedAt = performance.now();
    await Promise.all([cluster.kill("edge"), chat(pairs, quarter)]);
    const backAfterKill = await waitUp(pairs, killedAt, settleMs);
    log("restart of everything");
    const restarting = days.restart(cluster).then(() => performance.now());
    const [readyAt] = await Promise.all([restarting, chat(pairs, days.messages - 3 * quarter)]);
    const backAfterRestart = await waitUp(pairs, readyAt, settleMs, true);
    log("waiting for what is under way");
    await eventually(() => pairs.every(isSettled), { timeoutMs: settleMs }).catch(() => {});
    return pairs.map((pair) => outcomeOf(pair, backAfterKill.get(pair), backAfterRestart.get(pair)));
  } finally {
    for (const { both } of pairs) for (const chatter of both) chatter.close();
  }
}

async function startPairs(cluster: Cluster, built: Built[]): Promise<Pair[]> {
  const base = cluster.run().http;
  const { key } = await callHttp(base, keysCreate, { name: "clients" }, { token: cluster.servicesSecret });
  const loginOf = async (uid: string, client: StockClient): Promise<Logins> => {
    await callHttp(base, usersCreate, { uid }, { token: key });
    const login = (device: string): Promise<ResultOf<typeof usersLogin>> =>
      callHttp(base, usersLogin, { uid, device }, { token: key });
    const session = await login("stock");
    return { session, publisher: client.publishesApart ? await login("pub") : session };
  };
  const pairs: Pair[] = [];
  for (const { client, folder } of built) {
    const [one, other] = [await loginOf(`${client.name}-a`, client), await loginOf(`${client.name}-b`, client)];
    pairs.push({ client, both: [startChatter(client, folder, one), startChatter(client, folder, other)] });
  }
  return pairs;
}

/** Both say `count` messages, one after the other, whether connected or not: people do not wait for that. */
async function chat(pairs: Pair[], count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    for (const { both } of pairs) {
      both[0].say(both[1].uid);
      both[1].say(both[0].uid);
    }
    await sleep(everyMs);
  }
}

// To a topic that is not its own, larger than anybody takes, and no JSON: none may cost more than itself.
function publishBad({ both: [chatter, other] }: Pair): void {
  const { uid } = other;
  chatter.publish(uplinkTopic({ p: "0", uid, clientId: `${uid}:stock`, verb: "msg" }), "{}");
  chatter.publishOwn("x".repeat(hugeBytes));
  chatter.publishOwn("no JSON");
}

/** Pair → ms after `since` until both were up again; whoever is not in time is left out. */
async function waitUp(pairs: Pair[], since: number, timeoutMs: number, already = false): Promise<Map<Pair, number>> {
  const backAt = ({ both }: Pair): number | undefined => {
    const times = both.map(({ driver, ups }) => {
      const last = ups.findLast((at) => at > since);
      if (last !== undefined && driver.isUp()) return last - since;
      return already && driver.isUp() ? 0 : undefined;
    });
    const [one, other] = times;
    return one === undefined || other === undefined ? undefined : Math.max(one, other);
  };
  const isDone = (pair: Pair) => backAt(pair) !== undefined || pair.both.some(({ driver }) => driver.ended());
  await eventually(() => pairs.every(isDone), { timeoutMs }).catch(() => {});
  return new Map(
    pairs.flatMap((pair) => {
      const ms = backAt(pair);
      return ms === undefined ? [] : [[pair, ms] as const];
    }),
  );
}

function isSettled({ both: [one, other] }: Pair): boolean {
  return (
    [one, other].every(({ acked, said }) => acked.size === said()) &&
    lostOf(one, other) === 0 &&
    lostOf(other, one) === 0
  );
}

function lostOf(sender: Chatter, receiver: Chatter): number {
  return [...sender.acked.keys()].filter((id) => !receiver.heard.has(id)).length;
}

function outcomeOf({ client, both }: Pair, killMs: number | undefined, restartMs: number | undefined): Outcome {
  const [one, other] = both;
  const heard = both.flatMap((chatter) => [...chatter.heard.values()]);
  return {
    client,
    said: one.said() + other.said(),
    lost: lostOf(one, other) + lostOf(other, one),
    unacked: both.reduce((sum, { acked, said }) => sum + said() - acked.size, 0),
    doubled: heard.filter(({ seqs }) => seqs.size > 1).length,
    again: heard.reduce((sum, { times, seqs }) => sum + times - seqs.size, 0),
    backAfterKillMs: killMs,
    backAfterRestartMs: restartMs,
    gaveUp: both.map(({ driver }) => driver.ended()).find((why) => why !== undefined),
    words: both.flatMap(({ driver }) => driver.words()),
  };
}
