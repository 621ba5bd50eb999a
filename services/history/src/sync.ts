// sync: everything the cursors lack, conversation after conversation, in pages.
import { type AppError, type Caller, limits, type ParamsOf, type sync } from "@parley/protocol";
import { lastVisible, unreadOf } from "./access.ts";
import { headsOf } from "./heads.ts";
import { isMember } from "./members.ts";
import { cutPage, readPage } from "./page.ts";
import { complete, look, membershipPages, type Reading, type View } from "./reading.ts";
import { findAll, type Member } from "./store.ts";

const defaultLimit = 100;
const receiptsMax = 1_000;
// Read side by side: as many conversations, and about as many messages. What does not fit into the page is read in vain.
const stepConversations = 16;
const stepMessages = 150;
// `"more":false,"messages":[]` and a comma
const partOverhead = 32;

/** The result as JSON text. Conversations in the order of their names; `next` is the last one answered. */
export async function syncConversations(
  reading: Reading,
  params: ParamsOf<typeof sync>,
  caller: Caller,
): Promise<string | AppError> {
  const { cursors = {}, limit = defaultLimit, page, all = false } = params;
  const sight = await look(reading);
  const query = { cursors, limit, all };
  const made: MadePage = { parts: [], bytes: 0, last: undefined };
  for await (const members of membershipPages(reading, caller.uid, page)) {
    const views = await lackingViews(reading, members, query);
    for (let at = 0, some: View[]; at < views.length; at += some.length) {
      some = nextStep(views, at, query);
      await complete(reading, sight, some);
      const room = { ...query, maxBytes: limits.pageBytes - made.bytes };
      const parts = await Promise.all(some.map((view) => partOf(reading, view, room)));
      if (!fill(made, some, parts)) return answerOf(made, made.last ?? null);
    }
  }
  return answerOf(made, null);
}

function nextStep(views: readonly View[], from: number, { cursors, limit }: Omit<PartQuery, "maxBytes">): View[] {
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
  /** the last conversation that is in, or had nothing to be in with */
  last: string | undefined;
}

// False: the page is full. What was read beside it and does not fit is left to the next one.
function fill(made: MadePage, views: readonly View[], parts: readonly (string | undefined)[]): boolean {
  for (const [index, part] of parts.entries()) {
    if (made.bytes >= limits.pageBytes * 0.9) return false;
    if (made.parts.length > 0 && made.bytes + (part?.length ?? 0) > limits.pageBytes) return false;
    made.last = views[index]?.member.conv;
    if (part === undefined) continue;
    made.parts.push(part);
    made.bytes += part.length;
  }
  return true;
}

function answerOf({ parts }: MadePage, next: string | null): string {
  return `{"conversations":[${parts.join(",")}],"next":${JSON.stringify(next)}}`;
}

async function lackingViews(
  { store }: Reading,
  members: readonly Member[],
  { cursors, all }: { cursors: PartQuery["cursors"]; all: boolean },
): Promise<View[]> {
  const heads = await headsOf(
    store.log,
    members.map(({ conv }) => conv),
    0,
  );
  return members
    .map((member): View => ({ member, head: heads.get(member.conv) }))
    .filter(({ member, head }) => all || lacks(member, head?.seq ?? 0, cursors[member.conv]));
}

interface PartQuery {
  cursors: Readonly<Record<string, number>>;
  limit: number;
  all: boolean;
  maxBytes: number;
}

// undefined: this conversation has nothing the cursor lacks.
async function partOf(reading: Reading, { member, head }: View, query: PartQuery): Promise<string | undefined> {
  const cursor = query.cursors[member.conv];
  const last = lastVisible(member, head?.seq ?? 0);
  if (!query.all && !lacks(member, head?.seq ?? 0, cursor)) return undefined;
  const { log } = reading.store;
  const { limit, maxBytes } = query;
  const [read, first, receipts] = await Promise.all([
    readPage(log, member, { after: cursor ?? 0, before: last + 1, limit, maxBytes }),
    log.first(member.conv),
    receiptsOf(reading, member),
  ]);
  const fields = JSON.stringify({
    conv: member.conv,
    firstSeq: Math.max(member.stays[0]?.[0] ?? 1, first),
    lastSeq: last,
    readSeq: member.readSeq,
    unread: unreadOf(member, head?.ord ?? 0),
    receipts,
  });
  // The log counts bodies; the page counts what is sent.
  const page = cutPage(read, maxBytes - fields.length - partOverhead - read.messages.length);
  const more = page.to > 0 && page.to < last;
  return `${fields.slice(0, -1)},"more":${more},"messages":[${page.messages.join(",")}]}`;
}

function lacks(member: Member, lastSeq: number, cursor = -1): boolean {
  return cursor < lastVisible(member, lastSeq);
}

async function receiptsOf(
  { store }: Reading,
  member: Member,
): Promise<{ uid: string; delivered: number; read: number }[]> {
  if (!isMember(member)) return [];
  const members = await findAll(store.members, "by_conv", member.conv);
  return members
    .filter(({ uid, deliveredSeq }) => uid !== member.uid && deliveredSeq > 0)
    .slice(0, receiptsMax)
    .map(({ uid, deliveredSeq, readSeq }) => ({ uid, delivered: deliveredSeq, read: readSeq }));
}
