// sync: everything the cursors lack, conversation after conversation, in pages.
import { type AppError, type Caller, limits, type ParamsOf, type sync } from "@parley/protocol";
import { lastVisible, unreadOf } from "./access.ts";
import { headsOf } from "./heads.ts";
import { isMember } from "./members.ts";
import { readPage } from "./page.ts";
import { complete, look, membershipsOf, type Reading, type View } from "./reading.ts";
import { findAll, type Member } from "./store.ts";

const defaultLimit = 100;
const receiptsMax = 1_000;
const conversationsAtOnce = 8;

/** The result as JSON text. Conversations in the order of their names; `next` is the last one answered. */
export async function syncConversations(
  reading: Reading,
  params: ParamsOf<typeof sync>,
  caller: Caller,
): Promise<string | AppError> {
  const { cursors = {}, limit = defaultLimit, page, all = false } = params;
  const sight = await look(reading);
  const members = (await membershipsOf(reading, caller.uid)).filter(({ conv }) => page === undefined || conv > page);
  const heads = await headsOf(
    reading.store.log,
    members.map(({ conv }) => conv),
    0,
  );
  const views = members
    .map((member): View => ({ member, head: heads.get(member.conv) }))
    .filter(({ member, head }) => all || lacks(member, head?.seq ?? 0, cursors[member.conv]))
    .sort((a, b) => byText(a.member.conv, b.member.conv));
  const parts: string[] = [];
  let bytes = 0;
  let next: string | null = null;
  for (let at = 0; at < views.length && next === null; at += conversationsAtOnce) {
    const some = views.slice(at, at + conversationsAtOnce);
    await complete(reading, sight, some);
    const query = { cursors, limit, all, maxBytes: limits.pageBytes - bytes };
    const made = await Promise.all(some.map((view) => partOf(reading, view, query)));
    for (const [index, part] of made.entries()) {
      // Those of one step were read side by side: what passes the page is left to the next one.
      if (parts.length > 0 && bytes + (part?.length ?? 0) > limits.pageBytes) {
        next = views[at + index - 1]?.member.conv ?? null;
        break;
      }
      if (part === undefined) continue;
      parts.push(part);
      bytes += part.length;
      if (bytes < limits.pageBytes * 0.9) continue;
      next = at + index < views.length - 1 ? (some[index]?.member.conv ?? null) : null;
      return answerOf(parts, next);
    }
  }
  return answerOf(parts, next);
}

function answerOf(parts: readonly string[], next: string | null): string {
  return `{"conversations":[${parts.join(",")}],"next":${JSON.stringify(next)}}`;
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
  const [page, first, receipts] = await Promise.all([
    readPage(log, member, { after: cursor ?? 0, before: last + 1, limit, maxBytes }),
    log.first(member.conv),
    receiptsOf(reading, member),
  ]);
  const more = page.to > 0 && page.to < last;
  const fields = JSON.stringify({
    conv: member.conv,
    firstSeq: Math.max(member.stays[0]?.[0] ?? 1, first),
    lastSeq: last,
    readSeq: member.readSeq,
    unread: unreadOf(member, head?.ord ?? 0),
    receipts,
    more,
  });
  return `${fields.slice(0, -1)},"messages":[${page.messages.join(",")}]}`;
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

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
