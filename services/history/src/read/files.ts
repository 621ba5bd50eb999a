// Who may have a file that was sent: members whose stay holds a message that refers to it.
import {
  AppError,
  type AttachmentRequest,
  type AttachmentsSent,
  isAttachmentId,
  namedMembers,
  parseConv,
} from "@parley/protocol";
import type { FindQuery, LogEntry } from "@parley/store";
import { sees } from "../fold/members.ts";
import { entryFile } from "../keep/entry-file.ts";
import { type FilePlace, type HistoryStore, memberKey } from "../keep/store.ts";
import { hideExpired } from "./expired.ts";

type Stored = Pick<HistoryStore, "log" | "members" | "infos" | "files" | "timers">;

const pagePlaces = 500;
/** Of a file that was sent more often these are looked at: so many of its owner's, and so many of others. */
const placesMax = 10_000;
/** Whoever forwards a file must have been able to read it, and so on, so many steps back. */
const stepsMax = 8;
/** On all these ways back so many users are looked at. */
const usersMax = 100;
/** Messages that are looked up for one question. */
export const readsMax = 200;
const filesAtOnce = 500;
const heirsMax = 100;
/** No commit takes as long. */
const awaitedMs = 60_000;
/** Messages that are looked up for one question about many files. */
const readsOfSentMax = 2_000;

interface Search {
  store: Stored;
  file: string;
  owner: string;
  /** whether a user could have it, of those who were looked at; false while that is not known */
  known: Map<string, boolean>;
  /** places of the owner's messages, places of all others: read when they are needed */
  owners?: readonly FilePlace[];
  others?: readonly FilePlace[];
  readsLeft: number;
}

/** Also while the message is new: its place is stored before it is. */
export async function mayFetch(store: Stored, { file, owner, heirs = [], uid }: AttachmentRequest): Promise<boolean> {
  if (!isAttachmentId(file)) throw new AppError("invalid_packet", "file is not the id of an attachment");
  for (const one of [owner, ...heirs])
    if (await reaches({ store, file, owner: one, known: new Map(), readsLeft: readsMax }, uid, stepsMax)) return true;
  return false;
}

export type HeirsRequest = Omit<AttachmentRequest, "uid">;

/** Those who sent it on and may have it: others have it from them once its owner's own messages are gone. */
export async function heirsOf(store: Stored, { file, owner, heirs = [] }: HeirsRequest): Promise<string[]> {
  if (!isAttachmentId(file)) throw new AppError("invalid_packet", "file is not the id of an attachment");
  const senders = new Set<string>();
  for (const place of await allOf(pagesOf(store, byKey(file)))) {
    const message = senders.size < heirsMax ? await messageAt(store, place) : undefined;
    if (message && message.from !== owner) senders.add(message.from);
  }
  const found: string[] = [];
  for (const uid of senders) if (await mayFetch(store, { file, owner, heirs, uid })) found.push(uid);
  return found;
}

/** Those of the files that a message refers to; of as many of them, from the first on, as one question is good for. */
export async function sentFiles(store: Stored, files: readonly string[]): Promise<AttachmentsSent> {
  if (!Array.isArray(files) || files.length > filesAtOnce || !files.every(isAttachmentId))
    throw new AppError("invalid_packet", `files: at most ${filesAtOnce} ids of attachments`);
  const sent: string[] = [];
  let taken = 0;
  for (let reads = 0; taken < files.length && reads < readsOfSentMax; taken++) {
    const file = files[taken] as string;
    const search = { store, readsLeft: readsMax };
    if ((await isSent(search, file)) !== "no") sent.push(file);
    reads += readsMax - search.readsLeft;
  }
  return { sent, taken };
}

/** `perhaps`: a message with it is about to be stored, or more places would have to be looked at. */
export async function isSent(
  search: Pick<Search, "store" | "readsLeft">,
  file: string,
): Promise<"yes" | "no" | "perhaps"> {
  let answer: "no" | "perhaps" = "no";
  for await (const page of pagesOf(search.store, byKey(file)))
    for (const place of newestFirst(page)) {
      if (search.readsLeft === 0) return "perhaps";
      search.readsLeft -= 1;
      if (await messageAt(search.store, place)) return "yes";
      if (await isAwaited(search.store, place)) answer = "perhaps";
    }
  return answer;
}

// Its place was noted a moment ago, and the log does not reach as far.
async function isAwaited({ log }: Stored, { conv, seq, at = 0 }: FilePlace): Promise<boolean> {
  if (at < Date.now() - awaitedMs) return false;
  const last = (await log.heads([conv])).get(conv);
  return seq > (last?.seq ?? 0);
}

// The owner's own messages first: no one else can put so many places before them that they are not found.
async function reaches(search: Search, uid: string, steps: number): Promise<boolean> {
  const { known, owner, store } = search;
  if (uid === owner) return true;
  if (known.has(uid) || steps === 0 || known.size >= usersMax) return known.get(uid) ?? false;
  known.set(uid, false);
  search.owners ??= await allOf(pagesOf(store, { index: "by_sender", equals: [search.file, owner] }));
  const isReached =
    (await firstThatStands(search, await readableBy(store, search.owners, uid))) !== undefined ||
    (await reachesByOthers(search, uid, steps));
  known.set(uid, isReached);
  return isReached;
}

async function reachesByOthers(search: Search, uid: string, steps: number): Promise<boolean> {
  search.others ??= await placesOfOthers(search);
  const places = await readableBy(search.store, search.others, uid);
  const bySender = Map.groupBy(await withSenders(search, places), ({ from }) => from);
  for (const [from, theirs] of bySender) {
    // One's own message shows nothing that one could not read before.
    if (from === undefined || from === uid || !(await reaches(search, from, steps - 1))) continue;
    if (await firstThatStands(search, theirs)) return true;
  }
  return false;
}

async function placesOfOthers({ store, file, owner }: Search): Promise<FilePlace[]> {
  return (await allOf(pagesOf(store, byKey(file)))).filter(({ from }) => from !== owner);
}

// Where a place was noted without its sender, the message tells who that is.
async function withSenders(search: Search, places: readonly FilePlace[]): Promise<FilePlace[]> {
  const found: FilePlace[] = [];
  for (const place of places) {
    const isLookedUp = place.from === undefined && search.readsLeft > readsMax / 2;
    const from = isLookedUp ? (await firstThatStands(search, [place]))?.from : place.from;
    if (from !== undefined) found.push({ ...place, from });
  }
  return found;
}

// Behind a space comes "!": these are the keys that begin with the file's id.
const byKey = (file: string) => ({ from: `${file} `, before: `${file}!` });

async function* pagesOf({ files }: Stored, query: Omit<FindQuery, "limit">): AsyncGenerator<FilePlace[]> {
  let read = 0;
  for (let page: string | null | undefined; page !== null && read < placesMax; ) {
    const answer = await files.find({ ...query, limit: pagePlaces, ...(page === undefined ? {} : { page }) });
    page = answer.next;
    read += answer.items.length;
    yield answer.items.map(({ doc }) => doc);
  }
}

async function allOf(pages: AsyncIterable<FilePlace[]>): Promise<FilePlace[]> {
  const all: FilePlace[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

// Documents are right about stays, whoever holds the partition, and about what was recalled.
async function readableBy({ members, infos }: Stored, places: readonly FilePlace[], uid: string): Promise<FilePlace[]> {
  const convs = [...new Set(places.map(({ conv }) => conv))];
  if (convs.length === 0) return [];
  const [found, known] = await Promise.all([
    members.getMany(convs.map((conv) => memberKey(conv, uid))),
    infos.getMany(convs),
  ]);
  return places.filter(({ conv, seq }) => {
    const member = found.get(memberKey(conv, uid))?.doc;
    const isRecalled = known.get(conv)?.doc.recalled?.some(([recalled]) => recalled === seq) ?? false;
    return !isRecalled && (member ? sees(member, seq) : isNamed(conv, uid));
  });
}

function isNamed(conv: string, uid: string): boolean {
  const parsed = parseConv(conv);
  return parsed !== undefined && (namedMembers(parsed)?.includes(uid) ?? false);
}

/** A message that stands in one of the places and refers to the file, the newest places first; an erased one refers to nothing. */
async function firstThatStands(
  search: Pick<Search, "store" | "readsLeft">,
  places: readonly FilePlace[],
): Promise<LogEntry | undefined> {
  for (const place of newestFirst(places)) {
    if (search.readsLeft === 0) return undefined;
    search.readsLeft -= 1;
    const message = await messageAt(search.store, place);
    if (message) return message;
  }
  return undefined;
}

const newestFirst = (places: readonly FilePlace[]) => places.toSorted((a, b) => b.seq - a.seq);

async function messageAt(store: Stored, { file, conv, seq, from }: FilePlace): Promise<LogEntry | undefined> {
  const found = await store.log.range(conv, { after: seq - 1, before: seq + 1, limit: 1 });
  const [entry] = await hideExpired(store, found);
  return entry && entry.from === (from ?? entry.from) && entryFile(entry) === file ? entry : undefined;
}
