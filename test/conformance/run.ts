// Runs cases against a system, and says of each what holds.
import { callHttp } from "@parley/client";
import { AppError, usersAccount } from "@parley/protocol";
import { type BrokerName, isPromised } from "./brokers.ts";
import type { Case } from "./case.ts";
import { connectDevice, type Endpoint } from "./device.ts";
import { openWorld, type System } from "./world.ts";

/** What became of a case, over all endpoints. */
export interface Row {
  about: string;
  holds: string;
  /** `left out`: it was not asked, `seen` says why */
  outcome: "yes" | "no" | "left out";
  seen: string;
}

export interface Run {
  system: System;
  broker: BrokerName;
  endpoints: readonly Endpoint[];
  cases: readonly Case[];
  /** Told of each case as it is done. */
  onRow?(row: Row): void;
}

const atOnce = 6;
const caseLimitMs = 90_000;

export async function runCases({ system, broker, endpoints, cases, onRow = () => {} }: Run): Promise<Row[]> {
  const turns = openTurns(atOnce);
  const rows = cases.map(async (one, at) => {
    const row = isPromised(one, broker)
      ? await outcomeOf(one, { system, endpoints, name: `c${at}`, turns })
      : { ...one, outcome: "left out" as const, seen: "not promised there" };
    const { about, holds, outcome, seen } = row;
    onRow({ about, holds, outcome, seen });
    return { about, holds, outcome, seen };
  });
  return Promise.all(rows);
}

type Turns = <T>(work: () => Promise<T>) => Promise<T>;

async function outcomeOf(
  one: Case,
  { system, endpoints, name, turns }: { system: System; endpoints: readonly Endpoint[]; name: string; turns: Turns },
): Promise<Pick<Row, "about" | "holds" | "outcome" | "seen">> {
  if (one.needsGuest && !system.guest) return { ...one, outcome: "left out", seen: "no --guest" };
  const wanted = endpoints.filter(({ version }) => one.only === undefined || one.only === version);
  const run = Date.now().toString(36).slice(-5);
  const results = await Promise.all(
    wanted.map((endpoint, at) => turns(() => runCase(one, system, endpoint, `${name}-${at}${run}`))),
  );
  const failed = results.filter(({ isRight }) => !isRight);
  return {
    ...one,
    outcome: failed.length > 0 ? "no" : "yes",
    seen: wordsOf(failed.length > 0 ? failed : results, wanted),
  };
}

interface Result {
  endpoint: Endpoint;
  isRight: boolean;
  seen: string;
}

async function runCase(one: Case, system: System, endpoint: Endpoint, name: string): Promise<Result> {
  const world = openWorld(system, endpoint, name);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not over after ${caseLimitMs / 1_000} s`)), caseLimitMs);
  try {
    return { endpoint, isRight: true, seen: await Promise.race([one.run(world), late.promise]) };
  } catch (error) {
    return { endpoint, isRight: false, seen: (error as Error).message.split("\n")[0] ?? "" };
  } finally {
    clearTimeout(timer);
    await world.close().catch(() => {});
  }
}

/** One answer where all saw the same; else with where it was seen. */
function wordsOf(results: readonly Result[], asked: readonly Endpoint[]): string {
  const byWords = Map.groupBy(results, ({ seen }) => seen);
  if (byWords.size === 1 && results.length === asked.length) return results[0]?.seen ?? "";
  return [...byWords]
    .map(([seen, all]) => `${placesOf(new Set(all.map(({ endpoint }) => endpoint)), asked)}: ${seen}`)
    .join("; ");
}

function placesOf(where: ReadonlySet<Endpoint>, asked: readonly Endpoint[]): string {
  const versions = [4, 5].flatMap((version) => {
    const all = asked.filter((one) => one.version === version);
    const there = all.filter((one) => where.has(one));
    const transports = new Set(there.map(({ url }) => (/^ws/.test(url) ? "WebSocket" : "TCP")));
    const over = there.length === all.length ? "" : ` over ${[...transports].join(" and ")}`;
    return there.length === 0 ? [] : [`MQTT ${version === 5 ? "5" : "3.1.1"}${over}`];
  });
  return versions.join(" and ");
}

export function endpointsOf(urls: readonly string[]): Endpoint[] {
  return urls.flatMap((url) => ([4, 5] as const).map((version) => ({ url, version })));
}

function openTurns(most: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

/** Why nothing can be asked of the system: one sentence, or undefined. */
export async function whyNot({ api, key }: System, urls: readonly string[]): Promise<string | undefined> {
  const asked = await callHttp(api, usersAccount, { uid: "nobody-of-the-cases" }, { token: key }).catch(AppError.from);
  if (asked instanceof AppError && asked.code === "unavailable") return `--api ${api}: ${asked.message}`;
  if (asked instanceof AppError && ["unauthenticated", "forbidden"].includes(asked.code))
    return `--key-file: ${api} does not take this key (${asked.message})`;
  for (const url of urls) {
    const device = await connectDevice(
      { url, version: 4 },
      { username: "nobody", password: "wrong", connectTimeout: 5_000, patienceMs: 0 },
    ).catch((error: Error & { code?: number | string }) => error);
    if (!(device instanceof Error)) {
      await device.leave();
      return `--url ${url}: it lets in who has no account: the broker does not ask auth-webhook`;
    }
    // A number is a CONNACK: somebody speaks MQTT there.
    if (typeof device.code !== "number")
      return `--url ${url}: ${device.message || device.code || "it does not answer"}`;
  }
  return undefined;
}
