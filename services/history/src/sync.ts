// sync: everything the cursors lack, conversation after conversation, in pages.
import { type AppError, type Caller, limits, type ParamsOf, type sync } from "@parley/protocol";
import { lastVisible, membershipsOf, type Reading, unreadOf } from "./access.ts";
import { type Heads, headsOf } from "./heads.ts";
import { isMember } from "./members.ts";
import { readPage } from "./page.ts";
import { findAll, type Member } from "./store.ts";

const defaultLimit = 100;
const receiptsMax = 1_000;

/** The result as JSON text. Conversations in the order of their names; `next` is the last one answered. */
export async function syncConversations(
  reading: Reading,
  params: ParamsOf<typeof sync>,
  caller: Caller,
): Promise<string | AppError> {
  const { cursors = {}, limit = defaultLimit, page, all = false } = params;
  const memberships = await membershipsOf(reading, caller.uid);
  const convs = [...memberships.keys()].filter((conv) => page === undefined || conv > page).sort(byText);
  const heads = await headsOf(reading, convs);
  const parts: string[] = [];
  let bytes = 0;
  let next: string | null = null;
  for (const [index, conv] of convs.entries()) {
    const member = memberships.get(conv) as Member;
    const part = await partOf(reading, {
      member,
      heads,
      cursor: cursors[conv],
      limit,
      all,
      maxBytes: limits.pageBytes - bytes,
    });
    if (part === undefined) continue;
    parts.push(part);
    bytes += part.length;
    if (bytes < limits.pageBytes * 0.9) continue;
    next = index < convs.length - 1 ? conv : null;
    break;
  }
  return `{"conversations":[${parts.join(",")}],"next":${JSON.stringify(next)}}`;
}

interface PartQuery {
  member: Member;
  heads: Heads;
  cursor: number | undefined;
  limit: number;
  all: boolean;
  maxBytes: number;
}

// undefined: this conversation has nothing the cursor lacks.
async function partOf(
  reading: Reading,
  { member, heads, cursor, limit, all, maxBytes }: PartQuery,
): Promise<string | undefined> {
  const head = heads.get(member.conv);
  const last = lastVisible(member, head?.seq ?? 0);
  if (!all && (cursor ?? -1) >= last) return undefined;
  const { log } = reading.store;
  const page = await readPage(log, member, { after: cursor ?? 0, before: last + 1, limit, maxBytes });
  const firstSeq = Math.max(member.stays[0]?.[0] ?? 1, await log.first(member.conv));
  const more = page.to > 0 && page.to < last;
  const fields = JSON.stringify({
    conv: member.conv,
    firstSeq,
    lastSeq: last,
    readSeq: member.readSeq,
    unread: unreadOf(member, head?.ord ?? 0),
    receipts: await receiptsOf(reading, member),
    more,
  });
  return `${fields.slice(0, -1)},"messages":[${page.messages.join(",")}]}`;
}

async function receiptsOf(
  reading: Reading,
  member: Member,
): Promise<{ uid: string; delivered: number; read: number }[]> {
  if (!isMember(member)) return [];
  const known = reading.shelf.get(member.conv);
  const members = known ? [...known.members.values()] : await findAll(reading.store.members, "by_conv", member.conv);
  return members
    .filter(({ uid, deliveredSeq }) => uid !== member.uid && deliveredSeq > 0)
    .slice(0, receiptsMax)
    .map(({ uid, deliveredSeq, readSeq }) => ({ uid, delivered: deliveredSeq, read: readSeq }));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
