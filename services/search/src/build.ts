// Builds an index from the log while another one is searched: by one replica, which goes on where it or another one stopped.
import { type LogEnds, type RebuildProgress, type RebuildRequest, subjects } from "@parley/protocol";
import { hasPassed, type Logger, type NatsConnection, type Pass, readLog, requestJson } from "@parley/runtime";
import type { SearchIndex } from "@parley/store";
import { indexedEntries } from "./index-entries.ts";
import { type Building, type Indexes, newIndexName } from "./indexes.ts";
import { type LogBatch, logInOrder } from "./log-in-order.ts";

export interface Builder {
  answer(request: RebuildRequest): Promise<RebuildProgress>;
  /** Builds anew unless that is under way. */
  begin(reason: string): Promise<void>;
  close(): Promise<void>;
}

export interface BuilderParts {
  nats: NatsConnection;
  indexes: Indexes;
  instance: string;
  /** nobody else can be at work */
  isAlone: boolean;
  pass: Pass;
  log: Logger;
}

const turnMs = 2_000;
const saveMs = 1_000;
/** A replica that says nothing for so long has ended. */
const goneMs = 20_000;
const pageEntries = 100;
const endsTimeoutMs = 5_000;
/** With so few left the index is fed, and its end is near. */
const nearEnd = 1_000;

export function startBuilder(parts: BuilderParts): Builder {
  const { indexes, log } = parts;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();
  let isTidy = false;

  function soon(ms: number): void {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(turn, ms);
  }

  // Also at the start: whoever died behind a switch has left an index in which what is erased now would stay.
  async function tidy(): Promise<void> {
    if (!isTidy) await indexes.removeOthers();
    isTidy = true;
  }

  async function take(): Promise<void> {
    await tidy();
    const built = await work(parts, () => closed);
    if (!built) return;
    isTidy = false;
    parts.pass("before-others-removed");
    await tidy();
    await built.compact();
  }

  function turn(): void {
    working = take()
      .catch((error: unknown) => log.warn({ event: "build_waits", reason: String(error) }))
      .then(() => soon(turnMs));
  }

  async function begin(reason: string): Promise<void> {
    const begun = await indexes.change((state) => (state.building ? undefined : { ...state, building: fresh(parts) }));
    if (begun) log.info({ event: "build_begins", index: begun.building?.name, reason });
  }

  turn();
  return {
    begin,
    async answer({ begin: isWanted = false }) {
      if (isWanted) await begin("asked for");
      const { building, current } = await indexes.state();
      return { building: building && { done: building.done, of: building.of }, current };
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await working;
    },
  };
}

function fresh({ instance }: BuilderParts): Building {
  const name = newIndexName();
  const now = Date.now();
  return { name, begunAt: now, positions: [], done: 0, of: 0, isFed: false, owner: instance, aliveAt: now };
}

// The index that is searched from now on, if one was finished.
async function work(parts: BuilderParts, isClosed: () => boolean): Promise<SearchIndex | undefined> {
  const { indexes, instance, isAlone } = parts;
  const state = await indexes.state();
  if (!state.current && !state.building)
    await indexes.change((now) => ((now.building ?? now.current) ? undefined : { ...now, building: fresh(parts) }));
  const mine = await indexes.change((now) => {
    const { building } = now;
    const isFree = isAlone || building?.owner === instance || hasPassed(building?.aliveAt ?? 0, goneMs);
    return building && isFree ? { ...now, building: { ...building, owner: instance, aliveAt: Date.now() } } : undefined;
  });
  return mine?.building ? build(parts, mine.building, isClosed) : undefined;
}

/** Goes through the log until nothing is left behind: what is stored once the index is fed comes by itself. */
async function build(parts: BuilderParts, found: Building, isClosed: () => boolean): Promise<SearchIndex | undefined> {
  const { indexes, nats, log } = parts;
  const index = await indexes.open(found.name);
  let building = found;
  for (;;) {
    const { ends } = await requestJson<LogEnds>(nats, subjects.logEnds, {}, { timeoutMs: endsTimeoutMs });
    const left = sum(ends) - sum(building.positions);
    building = { ...building, of: building.done + left };
    // Only entries that were announced before it was fed are looked for now, and those are in the log up to `ends`.
    const isLast = building.isFed;
    const done = await copyLog(parts, index, { building, ends }, isClosed);
    if (!done) return undefined;
    building = done;
    if (isLast) break;
    if (left <= nearEnd) building = { ...building, isFed: true };
    if (!(await save(parts, building))) return undefined;
  }
  parts.pass("before-index-switch");
  const built = await indexes.change((state) =>
    state.building?.name === building.name
      ? { current: { name: building.name, builtAt: Date.now() }, building: null }
      : undefined,
  );
  if (!built) return undefined;
  log.info({ event: "index_built", index: building.name, entries: building.done });
  return index;
}

// undefined: another replica has taken over, or this one ends.
async function copyLog(
  parts: BuilderParts,
  index: SearchIndex,
  { building, ends }: { building: Building; ends: readonly number[] },
  isClosed: () => boolean,
): Promise<Building | undefined> {
  const from = ends.map((_, q) => building.positions[q] ?? 0);
  const read = (q: number, after: number) => readLog(parts.nats, { q, after, limit: pageEntries });
  let reached: Building = { ...building, positions: from };
  // The first batch at once: whoever is killed again and again comes forward all the same.
  let savedAt = Number.NEGATIVE_INFINITY;
  for await (const batch of logInOrder(read, from, ends)) {
    await index.put(await indexedEntries(parts.nats, batch.entries));
    parts.pass("before-index-mark");
    reached = moved(reached, batch);
    const isDue = performance.now() - savedAt > saveMs;
    if (isDue && !(await save(parts, reached))) return undefined;
    if (isDue) savedAt = performance.now();
    if (isClosed()) return void (await save(parts, reached));
  }
  reached = { ...reached, positions: ends.map((end, q) => Math.max(end, reached.positions[q] ?? 0)), done: reached.of };
  return (await save(parts, reached)) ? reached : undefined;
}

function moved(building: Building, { positions, entries }: LogBatch): Building {
  return { ...building, positions, done: building.done + entries.length };
}

async function save({ indexes, instance }: BuilderParts, building: Building): Promise<boolean> {
  const saved = await indexes.change((state) => {
    const isMine = state.building?.name === building.name && state.building.owner === instance;
    return isMine ? { ...state, building: { ...building, aliveAt: Date.now() } } : undefined;
  });
  return saved !== undefined;
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
