// threads.list, threads.get, and what sync says of threads.
import {
  AppError,
  type Caller,
  type ParamsOf,
  type ThreadState,
  type threadsGet,
  type threadsList,
} from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import type { Asker } from "../fold/devices.ts";
import { lastVisible, mayRead, sees } from "../fold/members.ts";
import { type Annotations, annotationsKey } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import { type Member, type ThreadMark, threadKey } from "../keep/store.ts";
import { annotateMessages } from "./annotated.ts";
import { tooLarge } from "./page.ts";
import { memberOf, type Reading, readerOf, type View } from "./reading.ts";
import { threadState } from "./thread-state.ts";

const defaultLimit = 50;
const syncedMost = 100;
const marksMost = 1_000;
const fewMarks = 100;

/** The result as JSON text. */
export async function listThreads(
  reading: Reading,
  { conv, limit = defaultLimit, page }: ParamsOf<typeof threadsList>,
  caller: Caller,
): Promise<string | AppError> {
  if (page !== undefined && !/^[1-9]\d{0,14}$/.test(page))
    return new AppError("invalid_packet", "page is not a token of this method");
  const { store } = reading;
  const known = await memberOf(reading, conv, caller.uid);
  const member = await readerOf(reading, { conv, asker: caller, known });
  if (member instanceof AppError) return member;
  const behind = page === undefined ? Number.MAX_SAFE_INTEGER : Number(page);
  const shown = await shownThreads(reading, member, behind, limit + 1);
  const found = shown.slice(0, limit);
  const [marks, info] = await Promise.all([
    store.threads.getMany(found.map(({ seq }) => threadKey({ conv, seq, uid: caller.uid }))),
    store.infos.get(conv),
  ]);
  const rows: string[] = [];
  let room = pageRoomOf(caller);
  let last: number | undefined;
  for (const annotations of found) {
    const { seq } = annotations;
    const mark = marks.get(threadKey({ conv, seq, uid: caller.uid }))?.doc;
    const state = threadState(member, annotations, { mark, recalled: info?.doc.recalled });
    const row = await rowOf(reading, member, state);
    if (row !== undefined) {
      const bytes = Buffer.byteLength(row) + 1;
      room -= bytes;
      if (room < 0 && rows.length === 0 && caller.maxBytes !== undefined) return tooLarge(conv, seq, bytes);
      if (room < 0 && rows.length > 0) return listed(rows, last);
      rows.push(row);
    }
    last = seq;
  }
  return listed(rows, shown.length > limit ? last : undefined);
}

// Those that the member may know of, the latest first: the others are not counted either, and no page token names one.
async function shownThreads(
  { store }: Reading,
  member: Member,
  behind: number,
  count: number,
): Promise<readonly Annotations[]> {
  const { conv, stays, deletedTo } = member;
  const limit = Math.max(count, defaultLimit);
  const from = Math.max(stays[0]?.[0] ?? 1, deletedTo + 1);
  const shown: Annotations[] = [];
  let before = Math.min(behind, lastVisible(member, Number.MAX_SAFE_INTEGER - 1) + 1);
  while (from < before && shown.length < count) {
    const query = { index: "by_thread", equals: [conv], order: "desc" as const, from, before, limit };
    const { items } = await store.annotations.find(query);
    const docs = items.map(({ doc }) => doc);
    shown.push(...docs.filter((doc) => sees(member, doc.seq) && isShownTo(member, doc)));
    before = items.length < limit ? from : (docs.at(-1)?.seq ?? from);
  }
  return shown.slice(0, count);
}

const listed = (rows: readonly string[], next: number | undefined) =>
  `{"threads":[${rows.join(",")}],"next":${next === undefined ? "null" : `"${next}"`}}`;

async function rowOf({ store }: Reading, member: Member, state: ThreadState): Promise<string | undefined> {
  const entry = sees(member, state.seq) ? await entryAt(store, member.conv, state.seq) : undefined;
  if (!entry) return undefined;
  const [message] = await annotateMessages(store, member, [entry]);
  return `${JSON.stringify(state).slice(0, -1)},"message":${message}}`;
}

/** The result as JSON text. */
export async function threadMessages(
  reading: Reading,
  { conv, seq, after = 0, limit = defaultLimit }: ParamsOf<typeof threadsGet>,
  caller: Caller,
): Promise<string | AppError> {
  const found = await findThread(reading, conv, seq, caller);
  if (found instanceof AppError) return found;
  const { member, annotations } = found;
  const seqs = (annotations.thread ?? []).map(([at]) => at).filter((at) => at > after && sees(member, at));
  const entries = await Promise.all(seqs.slice(0, limit).map((at) => entryAt(reading.store, conv, at)));
  const there = entries.filter((entry) => entry !== undefined);
  let room = pageRoomOf(caller);
  const messages = await annotateMessages(reading.store, member, there, room);
  const count = messages.findIndex((text, index) => {
    room -= Buffer.byteLength(text) + 1;
    return room < 0 && (index > 0 || caller.maxBytes !== undefined);
  });
  if (count === 0) return tooLarge(conv, there[0]?.seq ?? 0, Buffer.byteLength(messages[0] ?? ""));
  const fitting = count < 0 ? messages : messages.slice(0, count);
  return `{"messages":[${fitting.join(",")}],"more":${fitting.length < there.length || seqs.length > limit}}`;
}

// A thread of which the member sees nothing, as one that began after its stays, is none to it.
function isShownTo(member: Member, { thread = [] }: Annotations): boolean {
  return thread.some(([at]) => sees(member, at));
}

/** A thread that the user may read; its first message may be recalled, the others stay. */
export async function findThread(
  reading: Reading,
  conv: string,
  seq: number,
  asker: Asker,
): Promise<{ member: Member; annotations: Annotations } | AppError> {
  const [known, kept] = await Promise.all([
    memberOf(reading, conv, asker.uid),
    reading.store.annotations.get(annotationsKey(conv, seq)),
  ]);
  const member = await readerOf(reading, { conv, asker, known });
  if (member instanceof AppError) return member;
  if (!kept || !isShownTo(member, kept.doc) || !mayRead(member, seq))
    return new AppError("not_found", `there is no thread ${seq} here`);
  return { member, annotations: kept.doc };
}

/** The marks of a user's threads, in conversations between two names. */
export type FollowMarks = (from: string, to: string) => Promise<ThreadMark[]>;

/** For conversations behind `after`: one look for all that is asked here, where the user has few threads or none. */
export function followMarksOf({ store }: Reading, uid: string, after: string | undefined): FollowMarks {
  const query = { index: "by_uid", equals: [uid] };
  const find = store.threads.find.bind(store.threads);
  let first: ReturnType<typeof find> | undefined;
  return async (from, to) => {
    first ??= find({ ...query, ...(after !== undefined && { after }), limit: fewMarks });
    const { items, next } = await first;
    const found = next === null ? items : (await find({ ...query, from, to, limit: marksMost })).items;
    return found.map(({ doc }) => doc).filter(({ conv, following }) => following && conv >= from && conv <= to);
  };
}

/** By conversation, the threads that the user follows and that have something new. */
export async function threadsOf(
  { store }: Reading,
  views: readonly View[],
  marksBetween: FollowMarks,
  { cursors, all, since }: { cursors: Readonly<Record<string, number>>; all: boolean; since: number | undefined },
): Promise<ReadonlyMap<string, ThreadState[]>> {
  const [first, last] = [views[0]?.member, views.at(-1)?.member];
  if (!first || !last) return new Map();
  const marks = await marksBetween(first.conv, last.conv);
  if (marks.length === 0) return new Map();
  const convs = [...new Set(marks.map(({ conv }) => conv))];
  const [annotated, infos] = await Promise.all([
    store.annotations.getMany(marks.map(({ conv, seq }) => annotationsKey(conv, seq))),
    store.infos.getMany(convs),
  ]);
  const isNew = ({ unread, lastSeq }: ThreadState, { conv, changedAt }: ThreadMark) =>
    all || unread > 0 || lastSeq > (cursors[conv] ?? 0) || changedAt >= (since ?? Number.POSITIVE_INFINITY);
  const found = new Map<string, ThreadState[]>();
  for (const { member } of views) {
    const states = marks.flatMap((mark) => {
      const annotations = annotated.get(annotationsKey(mark.conv, mark.seq))?.doc;
      if (mark.conv !== member.conv || !annotations || !isShownTo(member, annotations)) return [];
      if (!mayRead(member, mark.seq)) return [];
      const state = threadState(member, annotations, { mark, recalled: infos.get(mark.conv)?.doc.recalled });
      return isNew(state, mark) ? [state] : [];
    });
    if (states.length > 0) found.set(member.conv, states.sort((a, b) => b.lastSeq - a.lastSeq).slice(0, syncedMost));
  }
  return found;
}
