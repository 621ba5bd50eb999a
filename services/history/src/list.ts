// conversations.list, memberships and p2p peers: a user's conversations, the latest first.
import {
  AppError,
  type Caller,
  type conversationsList,
  limits,
  type Membership,
  type ParamsOf,
  parseConv,
} from "@parley/protocol";
import { lastVisible, membershipsOf, type Reading, unreadOf } from "./access.ts";
import { headsOf } from "./heads.ts";
import { isMember } from "./members.ts";
import { readPage } from "./page.ts";
import type { Member } from "./store.ts";

const defaultLimit = 100;
const pageBytes = limits.pageBytes;

interface Row {
  member: Member;
  seq: number;
  ord: number;
  ts: number;
}

/** The result as JSON text. A page token is the place of the last row: `{ts} {conv}`. */
export async function listConversations(
  reading: Reading,
  params: ParamsOf<typeof conversationsList>,
  caller: Caller,
): Promise<string | AppError> {
  const { limit = defaultLimit, page } = params;
  const place = page === undefined ? undefined : parsePage(page);
  if (place instanceof AppError) return place;
  const rows = await latestFirst(reading, caller.uid);
  const start = place ? rows.findIndex((row) => isAfter(row, place)) : 0;
  const parts: string[] = [];
  let bytes = 0;
  let at = start < 0 ? rows.length : start;
  for (; at < rows.length && parts.length < limit && bytes < pageBytes; at++) {
    const part = await partOf(reading, rows[at] as Row);
    parts.push(part);
    bytes += part.length;
  }
  const last = rows[at - 1];
  const next = at < rows.length && last ? JSON.stringify(`${last.ts} ${last.member.conv}`) : "null";
  return `{"conversations":[${parts.join(",")}],"next":${next}}`;
}

/** Conversations the user is a member of, of one kind (`room`, `p2p` …) or all. */
export async function memberships(reading: Reading, uid: string, kind: string | undefined): Promise<Membership[]> {
  const all = await membershipsOf(reading, uid);
  return [...all.values()]
    .filter((member) => isMember(member) && (kind === undefined || member.conv.startsWith(`${kind}/`)))
    .map(({ conv, role, stays }) => ({ conv, role, joinSeq: stays.at(-1)?.[0] ?? 1 }));
}

/** The other side of the user's latest p2p conversations. */
export async function peers(reading: Reading, uid: string): Promise<string[]> {
  const rows = await latestFirst(reading, uid, "p2p/");
  return rows
    .map(({ member }) => otherSide(member))
    .filter((other) => other !== uid)
    .slice(0, limits.presencePeers);
}

async function latestFirst(reading: Reading, uid: string, prefix = ""): Promise<Row[]> {
  const all = await membershipsOf(reading, uid);
  const members = [...all.values()].filter((member) => isMember(member) && member.conv.startsWith(prefix));
  const heads = await headsOf(
    reading,
    members.map(({ conv }) => conv),
  );
  const rows = members.map((member) => ({ member, ...(heads.get(member.conv) ?? { seq: 0, ord: 0, ts: 0 }) }));
  return rows.sort((a, b) => b.ts - a.ts || (a.member.conv < b.member.conv ? -1 : 1));
}

async function partOf(reading: Reading, { member, seq, ord }: Row): Promise<string> {
  const last = lastVisible(member, seq);
  const page = await readPage(reading.store.log, member, { after: last - 1, before: last + 1, limit: 1 });
  const fields = JSON.stringify({
    conv: member.conv,
    name: await nameOf(reading, member),
    lastSeq: last,
    readSeq: member.readSeq,
    unread: unreadOf(member, ord),
    muted: member.muted,
    pinned: member.pinned,
  });
  return `${fields.slice(0, -1)},"lastMessage":${page.messages[0] ?? "null"}}`;
}

async function nameOf({ store, shelf }: Reading, member: Member): Promise<string> {
  if (!member.conv.startsWith("room/")) return otherSide(member);
  const known = shelf.get(member.conv)?.name;
  return known ?? (await store.infos.get(member.conv))?.doc.name ?? member.conv;
}

function otherSide({ conv, uid }: Member): string {
  const parsed = parseConv(conv);
  if (parsed?.kind === "p2p") return parsed.a === uid ? parsed.b : parsed.a;
  if (parsed?.kind === "dev") return parsed.from === uid ? parsed.uid : parsed.from;
  return conv;
}

function parsePage(page: string): { ts: number; conv: string } | AppError {
  const [, ts, conv] = /^(\d{1,15}) (\S+)$/.exec(page) ?? [];
  if (ts === undefined || conv === undefined)
    return new AppError("invalid_packet", "page is not a token of this method");
  return { ts: Number(ts), conv };
}

function isAfter({ ts, member }: Row, place: { ts: number; conv: string }): boolean {
  return ts < place.ts || (ts === place.ts && member.conv > place.conv);
}
