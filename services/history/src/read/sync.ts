// sync: everything the cursors lack, conversation after conversation, in pages.
import { AppError, type Caller, limits, type ParamsOf, type sync } from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import { lastVisible, unreadOf } from "../fold/members.ts";
import { unreadMentionsOf } from "../fold/mentions.ts";
import { type ConversationInfo, type Member, ownChangeKey } from "../keep/store.ts";
import { changedSince, overlapMs } from "./changed-marks.ts";
import { headsOf } from "./heads.ts";
import { type Receipt, receiptsOf } from "./member-receipts.ts";
import { keepsOwn, ownStateOf } from "./own-state.ts";
import { cutPage, readPage, tooLarge } from "./page.ts";
import { complete, infosOf, look, membershipPages, type Reading, type View } from "./reading.ts";
import { followMarksOf, threadsOf } from "./threads.ts";

const defaultLimit = 100;
const none: ReadonlySet<string> = new Set();
// Read side by side: as many conversations, and about as many messages. What does not fit into the page is read in vain.
const stepConversations = 16;
const stepMessages = 150;
// From this share of a page on nothing more is looked for.
const fullShare = 0.9;
// A conversation's receipts take less than half of a page.
const bytesPerReceipt = 160;
// Its threads take less than a quarter of one.
const bytesPerThread = 480;
// Memberships looked at together: few at first, many where nothing is missing.
const firstMemberships = 40;
const fewestMemberships = 8;
const mostMemberships = 200;
// `"more":false,"messages":[]` and a comma
const partOverhead = 32;

/** The result as JSON text. Conversations in the order of their names; `next` is the last one answered. */
export async function syncConversations(
  reading: Reading,
  params: ParamsOf<typeof sync>,
  caller: Caller,
): Promise<string | AppError> {
  const { cursors = {}, limit = defaultLimit, page, all = false, since } = params;
  const began = Math.max(0, Date.now() - overlapMs);
  const sight = await look(reading);
  const query = { cursors, limit, all, since };
  const made: MadePage = { parts: [], bytes: 0, looked: 0, last: undefined, room: pageRoomOf(caller) };
  const count = () => membershipsWanted(made);
  const followed = followMarksOf(reading, caller.uid, page);
  const kept = page === undefined ? ownChangesOf(reading, caller.uid) : undefined;
  kept?.catch(() => undefined);
  for await (const members of membershipPages(reading, { asker: caller, after: page, count })) {
    const views = await lackingViews(reading, members, query);
    for (let at = 0, some: View[]; at < views.length; at += some.length) {
      some = nextStep(views, at, query);
      await complete(reading, sight, some);
      const infos = await infosOf(reading, some.filter(needsInfo));
      const room = { ...query, room: made.room, maxBytes: made.room - made.bytes };
      const receipts = receiptsOf(reading, caller.uid, some, infos);
      const threads = threadsOf(reading, some, followed, query);
      const beside = (view: View) => ({ receipts, threads, info: infos.get(view.member.conv) });
      const [parts] = await Promise.all([
        Promise.all(some.map((view) => partOf(reading, view, beside(view), room))),
        receipts,
        threads,
      ]);
      const large = parts.find((part) => part instanceof AppError);
      if (large && made.parts.length === 0 && parts[0] === large) return large;
      if (!fill(made, some, parts)) return answerOf(made, { at: began, kept: await kept }, made.last ?? null);
    }
    made.looked += members.length;
  }
  return answerOf(made, { at: began, kept: await kept }, null);
}

// About as many as still fit, judged by those before.
function membershipsWanted({ bytes, looked, room }: MadePage): number {
  if (looked === 0) return firstMemberships;
  const fitting = Math.ceil(((fullShare * room - bytes) * looked) / bytes);
  return Math.max(fewestMemberships, Math.min(mostMemberships, fitting));
}

function nextStep(
  views: readonly View[],
  from: number,
  { cursors, limit }: Pick<PartQuery, "cursors" | "limit">,
): View[] {
  let messages = 0;
  const some: View[] = [];
  for (const view of views.slice(from, from + stepConversations)) {
    const { conv } = view.member;
    messages += Math.min(limit, lastVisible(view.member, view.head?.seq ?? 0) - (cursors[conv] ?? 0));
    if (some.length > 0 && messages > stepMessages) break;
    some.push(view);
  }
  return some;
}

interface MadePage {
  parts: string[];
  bytes: number;
  /** memberships gone through */
  looked: number;
  /** the last conversation that is in */
  last: string | undefined;
  /** bytes it may have */
  room: number;
}

// False: the page is full. What was read beside it and does not fit is left to the next one.
function fill(made: MadePage, views: readonly View[], parts: readonly (string | AppError)[]): boolean {
  for (const [index, part] of parts.entries()) {
    if (part instanceof AppError || made.bytes >= fullShare * made.room) return false;
    const bytes = Buffer.byteLength(part) + 1;
    if (made.parts.length > 0 && made.bytes + bytes > made.room) return false;
    made.last = views[index]?.member.conv;
    made.parts.push(part);
    made.bytes += bytes;
  }
  return true;
}

function answerOf(
  { parts }: MadePage,
  { at, kept }: { at: number; kept: OwnChanges | undefined },
  next: string | null,
): string {
  const fields = kept === undefined ? "" : `"kept":${JSON.stringify(kept)},`;
  return `{"conversations":[${parts.join(",")}],"at":${at},${fields}"next":${JSON.stringify(next)}}`;
}

type OwnChanges = { drafts?: number; stars?: number };

async function ownChangesOf({ store }: Reading, uid: string): Promise<OwnChanges> {
  const [drafts, stars] = [ownChangeKey(uid, "drafts"), ownChangeKey(uid, "stars")];
  const found = await store.ownChanges.getMany([drafts, stars]);
  const [draftsAt, starsAt] = [found.get(drafts)?.doc.at, found.get(stars)?.doc.at];
  return {
    ...(draftsAt === undefined ? {} : { drafts: draftsAt }),
    ...(starsAt === undefined ? {} : { stars: starsAt }),
  };
}

async function lackingViews(
  reading: Reading,
  members: readonly Member[],
  { cursors, all, since }: Pick<PartQuery, "cursors" | "all" | "since">,
): Promise<View[]> {
  const convs = members.map(({ conv }) => conv);
  const [heads, changed] = await Promise.all([
    headsOf(reading.store.log, convs, 0),
    all || since === undefined ? none : changedSince(reading, members, since),
  ]);
  return members
    .map((member): View => ({ member, head: heads.get(member.conv) }))
    .filter(({ member, head }) => {
      // Who is banned, invited or asks and never was a member.
      if (member.stays.length === 0) return false;
      return all || changed.has(member.conv) || lacks(member, head?.seq ?? 0, cursors[member.conv]);
    });
}

interface PartQuery {
  cursors: Readonly<Record<string, number>>;
  limit: number;
  all: boolean;
  since: number | undefined;
  /** of a whole page, and what is left of this one */
  room: number;
  maxBytes: number;
}

interface Beside {
  receipts: Promise<ReadonlyMap<string, Receipt[]>>;
  threads: ReturnType<typeof threadsOf>;
  info: ConversationInfo | undefined;
}

async function partOf(
  reading: Reading,
  { member, head }: View,
  { receipts, threads, info }: Beside,
  query: PartQuery,
): Promise<string | AppError> {
  const cursor = query.cursors[member.conv];
  const last = lastVisible(member, head?.seq ?? 0);
  const { log } = reading.store;
  const { limit, maxBytes, room } = query;
  const [read, first, receiptsOfAll, threadsOfAll] = await Promise.all([
    readPage(reading.store, member, { after: cursor ?? 0, before: last + 1, limit, maxBytes }),
    log.first(member.conv),
    receipts,
    threads,
  ]);
  const fields = JSON.stringify({
    conv: member.conv,
    firstSeq: Math.max(member.stays[0]?.[0] ?? 1, first),
    lastSeq: last,
    readSeq: member.readSeq,
    unread: unreadOf(member, head?.ord ?? 0, info?.recalled ?? []),
    unreadMentions: unreadMentionsOf(member, head?.ord ?? 0, info ?? {}),
    own: keepsOwn(member) ? ownStateOf(member) : undefined,
    threads: threadsOfAll.get(member.conv)?.slice(0, Math.max(0, room) / bytesPerThread),
    receipts: receiptsOfAll.get(member.conv)?.slice(0, Math.max(0, room) / bytesPerReceipt) ?? [],
  });
  // The log counts bodies; the page counts what is sent.
  const page = cutPage(read, maxBytes - Buffer.byteLength(fields) - partOverhead);
  if (
    Buffer.byteLength(fields) + partOverhead + page.bytes > room &&
    page.messages.length > 0 &&
    room < limits.pageBytes
  )
    return tooLarge(member.conv, page.seqs[0] ?? 0, page.bytes);
  const more = page.to > 0 && page.to < last;
  return `${fields.slice(0, -1)},"more":${more},"messages":[${page.messages.join(",")}]}`;
}

function lacks(member: Member, lastSeq: number, cursor = -1): boolean {
  return cursor < lastVisible(member, lastSeq);
}

// What it says of unread messages, and how many members a room has.
function needsInfo({ member, head }: View): boolean {
  return member.conv.startsWith("room/") || unreadOf(member, head?.ord ?? 0, []) > 0;
}
