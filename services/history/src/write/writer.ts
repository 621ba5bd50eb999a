// The single writer of one conversation partition: what waits becomes a batch, the log is the fence, state follows the commit.
import { AppError, type AppendItem, type ChangeReply, type ChangeRequest, type GroupOutcome } from "@parley/protocol";
import type { Logger, Pass } from "@parley/runtime";
import { type LogEntry, StoreError } from "@parley/store";
import type { CaughtUp } from "../fold/catch-up.ts";
import { foldEntry, infoOf, isCounted } from "../fold/fold-entry.ts";
import { cameFrom } from "../fold/onward.ts";
import type { Annotations } from "../keep/annotations.ts";
import {
  type ConversationInfo,
  type FilePlace,
  fileKey,
  type HistoryStore,
  type Member,
  type ThreadMark,
  threadKey,
} from "../keep/store.ts";
import { type Timer, timerKey } from "../keep/timers.ts";
import { isInvalid, type Trouble, withoutPath } from "../keep/trouble.ts";
import type { Projection } from "../project/projection.ts";
import { decideChange } from "../rooms/decide-change.ts";
import type { Attachments } from "./attachments.ts";
import { type AppendJob, type ChangeJob, type Job, jobBytes, type PauseJob, takeBatch } from "./batch.ts";
import { changeEntry, eventOf, replyOf } from "./change.ts";
import { type Conversation, noteLastId, sentLatelyWith, takenFromWith } from "./conversation.ts";
import { type FootingParts, keepFooting, takeFooting } from "./footing.ts";
import { lookUp } from "./look-up.ts";
import { noteSenders } from "./note-senders.ts";
import type { Receivers } from "./receivers.ts";
import { sequence } from "./sequence.ts";
import { withSight } from "./sight.ts";

export interface WriterParts extends Omit<FootingParts, "q" | "lost"> {
  store: HistoryStore;
  projection: Projection;
  receivers: Receivers;
  attachments: Attachments;
  /** folds entries of the log that no commit here told of, and announces them */
  foldMissed(afterPos: number, lastPos: number): Promise<CaughtUp>;
  /** told after each commit, in order of `pos` */
  committed(entries: readonly LogEntry[]): void;
  trouble: Trouble;
  /** where a test may end the process */
  pass: Pass;
  log: Logger;
}

/** A partition's writer. `pos` is the last entry that is committed and folded into memory. */
export interface Writer extends WriterParts {
  readonly q: number;
  pos: number;
  open: boolean;
  lost: boolean;
  jobs: Job[];
  working: Promise<void> | undefined;
  /** who became or ceased to be a member, names, what was said about messages: in the store before a commit is answered, and before the next one */
  unput: { members: Set<Member>; infos: Set<ConversationInfo>; annotations: Set<Annotations> };
}

const attemptsMax = 3;

/** `pos` is the store's last position in the partition. */
export function createWriter(q: number, pos: number, parts: WriterParts): Writer {
  const unput = { members: new Set<Member>(), infos: new Set<ConversationInfo>(), annotations: new Set<Annotations>() };
  return { ...parts, q, pos, open: true, lost: false, jobs: [], working: undefined, unput };
}

/** Stores a group in order. Resolves when all of it is committed or refused; never rejects. */
export function append(writer: Writer, items: readonly AppendItem[]): Promise<GroupOutcome> {
  return new Promise((settle) => {
    const enqueue = (refusals?: AppendJob["refusals"]) => {
      if (!writer.open) return settle({ q: writer.q, failed: "not_mine" });
      writer.jobs.push({ items, refusals, bytes: jobBytes(items), settle });
      wake(writer);
    };
    const asked = askApi(writer, items);
    if (!asked) return enqueue();
    asked.then(enqueue, (error: unknown) => settle({ q: writer.q, failed: "unavailable", message: String(error) }));
  });
}

// What api says counts only for what is not stored: a message that was stored before is answered as that.
function askApi({ receivers, attachments }: Writer, items: readonly AppendItem[]) {
  const asked = [receivers.refusals(items), attachments.refusals(items)];
  if (asked.every((one) => one === undefined)) return undefined;
  return Promise.all(asked).then(([ofReceivers, ofFiles]) =>
    items.map((_, index) => ofReceivers?.[index] ?? ofFiles?.[index]),
  );
}

/** Decides and stores one membership change. Rejects with the refusal. */
export function change(writer: Writer, request: ChangeRequest): Promise<ChangeReply> {
  if (!writer.open) return Promise.reject(notMine());
  return new Promise((resolve, reject) => {
    const settle = (reply: ChangeReply | AppError) => (reply instanceof AppError ? reject(reply) : resolve(reply));
    writer.jobs.push({ request, settle });
    wake(writer);
  });
}

/** Does something between two batches: what is in hand is committed, what comes is decided after it. What it throws, this does. */
export function pause(writer: Writer, work: () => void | Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failed?: unknown) => (failed ? reject(failed) : resolve());
    if (!writer.open) return settle(notMine());
    writer.jobs.push({ pause: work, settle });
    wake(writer);
  });
}

/** True if the store's last `pos` is this writer's own: what it knows is all there is. */
async function isCurrent({ store, q, pos }: Writer): Promise<boolean> {
  return (await store.log.last(q)).pos === pos;
}

/** Takes nothing more; resolves when what was taken is answered. `lost`: what still waits is not the holder's to do. */
export async function closeWriter(writer: Writer, lost: boolean): Promise<void> {
  writer.open = false;
  writer.lost = lost;
  for (const job of lost ? writer.jobs.splice(0) : []) {
    if ("items" in job) job.settle({ q: writer.q, failed: "not_mine" });
    else job.settle(notMine());
  }
  while (writer.working) await writer.working;
}

/** This replica does not hold the partition: the asker reads the leases again. */
export function notMine(): AppError {
  return new AppError("unavailable", undefined, { details: { reason: "not_mine" } });
}

function wake(writer: Writer): void {
  writer.working ??= work(writer).finally(() => {
    writer.working = undefined;
    if (writer.jobs.length > 0) wake(writer);
  });
}

async function work(writer: Writer): Promise<void> {
  while (writer.jobs.length > 0) {
    const batch = takeBatch(writer.jobs);
    if ("pause" in batch) {
      await done(batch);
    } else if ("request" in batch) await attempt(writer, [batch], () => commitChange(writer, batch));
    else await attempt(writer, batch, () => commitAppends(writer, batch));
  }
}

async function done({ pause: work, settle }: PauseJob): Promise<void> {
  try {
    await work();
    settle();
  } catch (error) {
    settle(error);
  }
}

// After any failure of the store nothing in memory is believed: the partition is read anew, and what did get stored is
// found by its key and answered as a duplicate.
async function attempt(writer: Writer, batch: readonly Job[], commit: () => Promise<void>): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      return await commit();
    } catch (error) {
      writer.trouble.failed("append_failed", error, { q: writer.q });
      if (!(error instanceof StoreError) || isInvalid(error)) return fail(writer, batch, "internal", error);
      // A full disk stored nothing, and is as full a moment later.
      if (error.code === "full" || count === attemptsMax || !writer.open)
        return fail(writer, batch, "unavailable", error);
      await recover(writer).catch(() => undefined);
    }
  }
}

async function recover(writer: Writer): Promise<void> {
  writer.shelf.drop(writer.q);
  const { pos } = await writer.store.log.last(writer.q);
  // A commit whose answer was lost, or another writer's: no `apply` has seen it.
  const missed = await writer.foldMissed(writer.pos, pos);
  for (const member of missed.members) writer.unput.members.add(member);
  for (const info of missed.infos) writer.unput.infos.add(info);
  for (const annotations of missed.annotations) writer.unput.annotations.add(annotations);
  writer.pos = pos;
}

// Nothing is stored after a change of the members that their documents do not show: readers everywhere go by them.
async function putStructure({ unput, projection }: Writer): Promise<void> {
  const sets = [unput.members, unput.infos, unput.annotations];
  if (sets.every(({ size }) => size === 0)) return;
  await projection.put(unput);
  for (const set of sets) set.clear();
}

async function commitAppends(writer: Writer, batch: readonly AppendJob[]): Promise<void> {
  const { q, store } = writer;
  await writer.projection.room();
  await putStructure(writer);
  const { candidates, footing } = await lookUp(writer, batch);
  const { entries, files, timers, followers, outcomes, annotations } = sequence(candidates, q, writer.pos, Date.now());
  const conversations = new Map(candidates.map(({ conversation }) => [conversation.conv, conversation]));
  await Promise.all([
    notePlaces(store, files, timers),
    noteFollowers(store, followers),
    noteSenders(store, entries, (conv) => conversations.get(conv)),
  ]);
  writer.pass("before-commit");
  keepFooting(writer, footing);
  if (entries.length > 0) await store.log.append(q, entries).then(() => writer.trouble.over("append_failed"));
  else if (outcomes.some((outcome) => !("duplicate" in outcome))) await confirmCurrent(writer);
  apply(writer, entries, conversations);
  noteAnnotations(writer, annotations);
  await putStructure(writer);
  writer.pass("before-reply");
  let at = 0;
  for (const { items, settle } of batch) {
    settle({ q, outcomes: outcomes.slice(at, at + items.length) });
    at += items.length;
  }
}

async function commitChange(writer: Writer, { request, settle }: ChangeJob): Promise<void> {
  const { q, store, shelf } = writer;
  const { conv, id, device, event } = request;
  await putStructure(writer);
  const conversation = await shelf.load(conv);
  const [stored] = await store.log.find([{ conv, from: event.by, device, id }]);
  if (stored) return settle(replyOf(stored, eventOf(stored)));
  // As late as may be: a slow store does not use up the time for which it holds. Sight is a copy of what it has read.
  const footing = await takeFooting(writer, [{ conv, from: event.by }]);
  const room = await withSight(store, conversation, request);
  const decided = decideChange(room, request, Date.now());
  if (decided === undefined || decided instanceof AppError) {
    await confirmCurrent(writer);
    return settle(decided ?? { seq: 0, ts: Date.now(), changed: [] });
  }
  const entry = changeEntry(conversation, writer.pos + 1, request, decided);
  // Before the commit: whatever happens behind it, somebody finds what is to leave the store.
  if (decided.event === "delete") await store.ended.put([{ key: conv, doc: { conv, emptiedTo: 0, unfoundTo: 0 } }]);
  writer.pass("before-change");
  keepFooting(writer, footing);
  await store.log.append(q, [entry]);
  writer.pass("before-structure");
  apply(writer, [entry], new Map([[conv, conversation]]));
  await putStructure(writer);
  writer.pass("before-change-reply");
  settle(replyOf(entry, decided));
}

// Before the commit: whoever is told of a message may fetch its file. A place that no message came to stand in grants nothing.
// A message that disappears is never there without its timer; a timer of a message that is not there ends nothing.
async function notePlaces(
  { files, timers }: HistoryStore,
  places: readonly FilePlace[],
  ends: readonly Timer[],
): Promise<void> {
  if (places.length === 0 && ends.length === 0) return;
  await Promise.all([
    places.length > 0 && files.put(places.map((doc) => ({ key: fileKey(doc), doc }))),
    ends.length > 0 && timers.put(ends.map((doc) => ({ key: timerKey(doc), doc }))),
  ]);
}

// Before the commit, and unless they have said what they want: who follows a thread that nothing came to stand in sees nothing.
async function noteFollowers({ threads }: HistoryStore, followers: readonly ThreadMark[]): Promise<void> {
  if (followers.length > 0) await threads.writeMany(followers.map((doc) => ({ key: threadKey(doc), doc })));
}

/** Throws where the partition has another writer. */
export async function confirmCurrent(writer: Writer): Promise<void> {
  if (await isCurrent(writer)) return;
  throw new StoreError("duplicate_key", `partition ${writer.q} has another writer`);
}

// `conversations` are those the entries were sequenced on: they may have been put away while the commit was under way.
function apply(writer: Writer, entries: readonly LogEntry[], conversations: ReadonlyMap<string, Conversation>): void {
  for (const entry of entries) {
    const conversation = conversations.get(entry.conv) as Conversation;
    writer.pos = entry.pos;
    conversation.lastSeq = entry.seq;
    conversation.lastOrd = entry.ord;
    conversation.lastTs = entry.ts;
    conversation.memberSeq = entry.memberSeq;
    noteLastId(conversation, entry.device, entry.id);
    if (isCounted(entry)) conversation.sentLately = sentLatelyWith(entry, conversation.room, conversation.sentLately);
    const came = cameFrom(entry);
    if (came) conversation.takenFrom = takenFromWith(came, conversation.takenFrom);
    const { members, isStructural, isInfo } = foldEntry(conversation, entry);
    writer.projection.touch(members);
    if (isStructural) noteStructure(writer, conversation, members, isInfo);
    writer.shelf.keep(conversation);
  }
  if (entries.length > 0) writer.committed(entries);
}

function noteStructure(writer: Writer, conversation: Conversation, members: readonly Member[], isInfo: boolean): void {
  for (const member of members) writer.unput.members.add(member);
  if (!isInfo) return;
  const info = infoOf(conversation);
  writer.projection.touchInfo(info);
  writer.unput.infos.add(info);
}

function noteAnnotations({ projection, unput }: Writer, changed: readonly Annotations[]): void {
  for (const annotations of changed) {
    projection.touchAnnotations(annotations);
    unput.annotations.add(annotations);
  }
}

function fail({ q }: Writer, batch: readonly Job[], why: "unavailable" | "internal", error: unknown): void {
  const told = withoutPath(error);
  const message = told instanceof AppError ? told.message : undefined;
  for (const job of batch) {
    if ("items" in job) job.settle({ q, failed: why, ...(message ? { message } : {}) });
    else job.settle(told instanceof AppError ? told : new AppError(why, undefined, { cause: error }));
  }
}
