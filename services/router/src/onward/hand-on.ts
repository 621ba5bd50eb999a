// What is said in a room with rooms nested in it, handed on to those in the order of the log, by whichever router takes it.
import {
  AppError,
  type AppendItem,
  type CounterpartsReply,
  type CounterpartsRequest,
  isForNow,
  limits,
  onwardFilter,
  onwardLanes,
  parseConv,
  roomConv,
  type StoredEntry,
  subjects,
} from "@parley/protocol";
import {
  followStored,
  type Logger,
  type NatsConnection,
  openTokenBuckets,
  type Pass,
  requestJson,
  type TokenBuckets,
} from "@parley/runtime";
import { LRUCache } from "lru-cache";
import type { Append } from "../append/append.ts";
import { copyFor, type Leaving, readLeaving, refersTo } from "./copy.ts";

export interface HandOnParts {
  nats: NatsConnection;
  /** One that waits for as long as it takes: what is given up would come in behind what was said after it. */
  append: Append;
  /** A copy was refused for good. */
  refused(code: string): void;
  /** A room that is nested in the conversation is no more: it is nested there no longer. Rejects where that cannot be noted now. */
  gone(conv: string, room: string): Promise<unknown>;
  /** where a test may end the process */
  pass: Pass;
  log: Logger;
}

/** What is under way at once. */
const bytesAtOnce = 1024 * 1024;
const retryMs = 500;
const timeoutMs = 5_000;
/** All copies are of one lane a partition, which keeps their order. */
const lane = "onward";
/** Copies of which is known that they are stored: in rooms that many ways lead to most copies are asked for in vain. */
const storedKept = 100_000;

/** Of one sender: rooms that lead to very many others would keep all that goes on waiting. */
const copiesPerSecond = 300;
const copiesAtOnce = 3_000;
const sendersKept = 10_000;

interface Work extends HandOnParts {
  stored: LRUCache<string, true>;
  /** of copies, by sender */
  copies: TokenBuckets;
}

/** Follows until closed. A reference is done when every copy is stored, was stored before, or is refused for good. */
export function followOnward(parts: HandOnParts): { close(): Promise<void> } {
  const { nats, log } = parts;
  const take = createHandOn(parts);
  const following = Array.from({ length: onwardLanes }, (_, lane) =>
    followStored({
      nats,
      durable: `onward-${lane}`,
      filter: onwardFilter(lane),
      isOrdered: true,
      batchMessages: 1,
      retryMs,
      take,
      log,
    }),
  );
  return { close: async () => void (await Promise.all(following.map((one) => one.close()))) };
}

/** Hands on what these say. Rejects when some of it is to come again. */
export function createHandOn(parts: HandOnParts): (entries: readonly StoredEntry[]) => Promise<void> {
  const work: Work = {
    ...parts,
    stored: new LRUCache<string, true>({ max: storedKept }),
    copies: openTokenBuckets({ rate: copiesPerSecond, burst: copiesAtOnce, keys: sendersKept }),
  };
  return (entries) => handOnAll(work, entries);
}

async function handOnAll(parts: Work, entries: readonly StoredEntry[]): Promise<void> {
  let underWay: Promise<void>[] = [];
  let bytes = 0;
  const finish = async () => {
    await allOf(underWay);
    underWay = [];
    bytes = 0;
  };
  parts.pass("before-onward");
  for (const entry of entries) {
    const { rooms } = entry.onward ?? { rooms: [] };
    if (rooms.length === 0) continue;
    const leaving = readLeaving(entry);
    if (leaving.via.length > limits.nestedDepth) {
      refuse(parts, entry, "", new AppError("conflict", `came through ${limits.nestedDepth} rooms`));
      continue;
    }
    // What it refers to may be a copy that is under way.
    if (refersTo(leaving).length > 0) await finish();
    for (const item of await copiesOf(parts, leaving, rooms)) {
      if (parts.stored.get(keyOf(item))) continue;
      if (parts.copies.take(entry.from) > 0) {
        refuse(parts, entry, item.conv, new AppError("rate_limited", `more than ${copiesPerSecond} copies a second`));
        continue;
      }
      underWay.push(appendCopy(parts, entry, item));
      bytes += item.body.byteLength;
    }
    if (bytes > bytesAtOnce) await finish();
  }
  await finish();
  parts.pass("before-onward-taken");
}

async function copiesOf({ nats }: HandOnParts, leaving: Leaving, rooms: readonly string[]): Promise<AppendItem[]> {
  const seqs = refersTo(leaving);
  const places = seqs.length === 0 ? [] : await placesIn(nats, leaving.entry.conv, { seqs, rooms });
  return rooms.flatMap((room, at) => copyFor(leaving, room, places[at] ?? []) ?? []);
}

async function placesIn(
  nats: NatsConnection,
  conv: string,
  { seqs, rooms }: { seqs: number[]; rooms: readonly string[] },
): Promise<CounterpartsReply["found"]> {
  const asked: CounterpartsRequest = { conv, seqs, convs: rooms.map(roomConv) };
  return (await requestJson<CounterpartsReply>(nats, subjects.counterparts, asked, { timeoutMs })).found;
}

async function appendCopy(parts: Work, entry: StoredEntry, item: AppendItem): Promise<void> {
  const outcome = await parts.append({ ...item, p: lane });
  parts.pass("before-onward-done");
  if (!(outcome instanceof AppError)) return void parts.stored.set(keyOf(item), true);
  if (mayPass(outcome)) throw outcome;
  refuse(parts, entry, item.conv, outcome);
  const ended = parseConv(item.conv);
  if (outcome.details?.reason === "room" && ended?.kind === "room") await parts.gone(entry.conv, ended.roomId);
}

// As history finds what was stored before.
function keyOf({ conv, from, device, id }: AppendItem): string {
  return JSON.stringify([conv, from, device, id]);
}

// One that comes too fast for a room, or cannot be stored there, is no more for that room: it would come in behind later ones.
function mayPass({ code }: AppError): boolean {
  return isForNow({ code }) && code !== "rate_limited" && code !== "out_of_order";
}

function refuse(
  { refused, log }: HandOnParts,
  { conv, seq }: StoredEntry,
  to: string,
  { code, details }: AppError,
): void {
  const told = { event: "copy_refused", conv, seq, to, code, reason: details?.reason };
  if (code === "internal") log.error(told);
  else log.info(told);
  refused(code);
}

/** All have ended when this does, well or not. */
async function allOf(underWay: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(underWay);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}
