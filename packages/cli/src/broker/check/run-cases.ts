// Runs cases at each endpoint, and says of each what holds.
import { openTurns, type Turns } from "@parley/runtime";
import type { Case } from "./case.ts";
import type { Endpoint } from "./device.ts";
import type { World } from "./world.ts";

/** What became of a case, over all endpoints. */
export interface Row {
  about: string;
  holds: string;
  /** `left out`: it was not asked, `seen` says why */
  outcome: "yes" | "no" | "left out";
  seen: string;
}

export interface Run<W extends World, C extends Case<W>> {
  endpoints: readonly Endpoint[];
  cases: readonly C[];
  open(endpoint: Endpoint, name: string): W;
  /** Why a case is not asked. */
  leftOut?(one: C): string | undefined;
  /** Told of each case as it is done. */
  onRow?(row: Row): void;
}

const atOnce = 6;
const caseLimitMs = 90_000;

export async function runCases<W extends World, C extends Case<W>>(run: Run<W, C>): Promise<Row[]> {
  const { cases, endpoints, leftOut = () => undefined, onRow = () => {} } = run;
  const turns = openTurns({ atOnce });
  const rows = cases.map(async (one, at) => {
    const why = leftOut(one);
    const { about, holds } = one;
    const { outcome, seen } =
      why === undefined
        ? await outcomeOf(one, { endpoints, open: run.open, name: `c${at}`, turns })
        : { outcome: "left out" as const, seen: why };
    const row = { about, holds, outcome, seen };
    onRow(row);
    return row;
  });
  return Promise.all(rows);
}

async function outcomeOf<W extends World>(
  one: Case<W>,
  {
    endpoints,
    open,
    name,
    turns,
  }: { open: Run<W, Case<W>>["open"]; endpoints: readonly Endpoint[]; name: string; turns: Turns },
): Promise<Pick<Row, "outcome" | "seen">> {
  const wanted = endpoints.filter(({ version }) => one.only === undefined || one.only === version);
  const run = Date.now().toString(36).slice(-5);
  const results = await Promise.all(
    wanted.map((endpoint, at) => runInTurn(turns, () => runCase(one, endpoint, open(endpoint, `${name}-${at}${run}`)))),
  );
  const failed = results.filter(({ isRight }) => !isRight);
  return { outcome: failed.length > 0 ? "no" : "yes", seen: wordsOf(failed.length > 0 ? failed : results, wanted) };
}

async function runInTurn<T>(turns: Turns, work: () => Promise<T>): Promise<T> {
  const end = await turns.take();
  try {
    return await work();
  } finally {
    end?.();
  }
}

interface Result {
  endpoint: Endpoint;
  isRight: boolean;
  seen: string;
}

async function runCase<W extends World>(one: Case<W>, endpoint: Endpoint, world: W): Promise<Result> {
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
