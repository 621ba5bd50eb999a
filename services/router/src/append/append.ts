// Step 3: what waits goes to history, of each (p, q) one group unanswered at a time, many groups in one request.
import { AppError, type Appended, type AppendGroup, type AppendItem, type AppendOutcome } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import type { HolderLookup } from "@parley/runtime";
import { type AskHistory, type GroupAnswer, groupsOfRequest } from "./ask-history.ts";
import { expire, isIdle, type Lane, nextGroup, openLane, type Waiting } from "./lane.ts";

/** Resolves when the message is stored, or with the refusal. Never rejects. */
export type Append = (item: AppendItem & { p: string }) => Promise<Appended | AppError>;

export interface AppendOptions {
  ask: AskHistory;
  /** who holds which conversation partition */
  holders: Pick<HolderLookup, "of" | "refresh" | "told">;
  /** a message that is not stored this long after it came is refused as unavailable */
  timeoutMs: number;
  /** append requests to one replica at a time */
  requestsMax: number;
  /** bodies that wait to be stored, all lanes together: what comes beyond is refused */
  bytesMax?: number;
}

interface Appender extends AppendOptions {
  lanes: Map<string, Lane>;
  /** lanes with something to send and nothing unanswered */
  ready: Set<Lane>;
  /** holder → requests under way */
  busy: Map<string, number>;
  bytes: number;
  scheduled: boolean;
}

/** Where nobody tells who holds a partition now, it is looked up again this much later. */
const retryMs = 100;
const defaultBytesMax = 128 * 1024 * 1024;

export function createAppend(options: AppendOptions): Append {
  const { timeoutMs, bytesMax = defaultBytesMax } = options;
  const appender: Appender = {
    ...options,
    lanes: new Map(),
    ready: new Set(),
    busy: new Map(),
    bytes: 0,
    scheduled: false,
  };
  return ({ p, ...item }) => {
    const bytes = item.body.byteLength;
    if (appender.bytes + bytes > bytesMax)
      return Promise.resolve(new AppError("unavailable", "too much waits to be stored; send it again"));
    appender.bytes += bytes;
    return new Promise((resolve) => {
      const settle = (outcome: Appended | AppError) => {
        appender.bytes -= bytes;
        resolve(outcome);
      };
      const lane = laneOf(appender, p, conversationPartition(item.conv));
      lane.waiting.push({ item, bytes, deadline: performance.now() + timeoutMs, settle });
      if (lane.unanswered || lane.again.length > 0) return;
      appender.ready.add(lane);
      schedule(appender);
    });
  };
}

// 16 × 256 of them at most.
function laneOf({ lanes }: Appender, p: string, q: number): Lane {
  const key = `${p}${q}`;
  let lane = lanes.get(key);
  if (!lane) {
    lane = openLane(q);
    lanes.set(key, lane);
  }
  return lane;
}

// After this turn's reads: whatever came with them travels together.
function schedule(appender: Appender): void {
  if (appender.scheduled) return;
  appender.scheduled = true;
  setImmediate(() => {
    appender.scheduled = false;
    send(appender);
  });
}

function send(appender: Appender): void {
  const { ready, busy, requestsMax } = appender;
  const now = performance.now();
  const byHolder = new Map<string, Lane[]>();
  for (const lane of ready) {
    expire(lane, now);
    const holder = appender.holders.of(String(lane.q));
    if (isIdle(lane)) ready.delete(lane);
    else if (holder === undefined) retry(appender, lane, lookAgain(appender, lane, undefined));
    else if ((busy.get(holder) ?? 0) < requestsMax) {
      const lanes = byHolder.get(holder);
      if (lanes) lanes.push(lane);
      else byHolder.set(holder, [lane]);
    }
  }
  for (const [holder, lanes] of byHolder)
    for (const sent of groupsOfRequest(lanes, nextGroup)) void request(appender, holder, sent);
}

async function request(appender: Appender, holder: string, sent: { lane: Lane; group: Waiting[] }[]): Promise<void> {
  const { ask, ready, busy } = appender;
  busy.set(holder, (busy.get(holder) ?? 0) + 1);
  for (const { lane, group } of sent) {
    lane.unanswered = group;
    ready.delete(lane);
  }
  const groups = sent.map(({ lane, group }): AppendGroup => ({ q: lane.q, items: group.map(({ item }) => item) }));
  const answers = await ask(holder, groups);
  const left = (busy.get(holder) ?? 1) - 1;
  if (left > 0) busy.set(holder, left);
  else busy.delete(holder);
  for (const [index, { lane }] of sent.entries()) take(appender, holder, lane, answers[index] ?? { again: undefined });
  if (ready.size > 0) schedule(appender);
}

function take(appender: Appender, asked: string, lane: Lane, answer: GroupAnswer): void {
  const group = lane.unanswered ?? [];
  lane.unanswered = undefined;
  lane.trouble = typeof answer === "object" && "again" in answer ? answer.again : undefined;
  if (answer === "elsewhere" || (typeof answer === "object" && "again" in answer)) {
    lane.again.unshift(group);
    const told = () => appender.holders.told(String(lane.q), retryMs);
    retry(appender, lane, answer === "elsewhere" ? lookAgain(appender, lane, asked) : told());
    return;
  }
  if (answer === "internal") split(lane, group);
  else for (const [index, { settle }] of group.entries()) settle(resultOf(answer[index]));
  if (!isIdle(lane)) appender.ready.add(lane);
}

// Something in the group cannot be stored: halves, until the one culprit is alone.
function split(lane: Lane, group: Waiting[]): void {
  const middle = group.length >> 1;
  if (group.length === 1) group[0]?.settle(new AppError("internal"));
  else lane.again.unshift(group.slice(0, middle), group.slice(middle));
}

// Another holder is asked at once; the same one when it tells that it holds the partition, or a little later.
async function lookAgain({ holders }: Appender, { q }: Lane, asked: string | undefined): Promise<void> {
  const key = String(q);
  await holders.refresh();
  if (holders.of(key) === asked) await holders.told(key, retryMs);
}

function retry(appender: Appender, lane: Lane, after: Promise<void>): void {
  appender.ready.delete(lane);
  void after.then(() => {
    appender.ready.add(lane);
    schedule(appender);
  });
}

function resultOf(outcome: AppendOutcome | undefined): Appended | AppError {
  if (!outcome) return new AppError("internal", "history left a message unanswered");
  return "error" in outcome ? AppError.fromWire(outcome.error) : outcome;
}
