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
import type { LogEntry } from "@parley/store";
import { isMember, lastVisible, unreadOf } from "../fold/members.ts";
import type { ConversationInfo, Member } from "../keep/store.ts";
import { headsOf } from "./heads.ts";
import { messageJson, readPage } from "./page.ts";
import { complete, infosOf, look, membershipsOf, type Reading, type View } from "./reading.ts";

const defaultLimit = 100;
const pageBytes = limits.pageBytes;
const rowsAtOnce = 250;
// Bodies of last messages held while a page is made; those beyond are read one by one.
const bodyBytes = 4 * 1024 * 1024;

/** The result as JSON text. A page token is the place of the last row: `{ts} {conv}`. */
export async function listConversations(
  reading: Reading,
  params: ParamsOf<typeof conversationsList>,
  caller: Caller,
): Promise<string | AppError> {
  const { limit = defaultLimit, page } = params;
  const place = page === undefined ? undefined : parsePage(page);
  if (place instanceof AppError) return place;
  const sight = await look(reading);
  const rows = (await latestFirst(reading, caller.uid, "", bodyBytes)).filter((row) => !place || isAfter(row, place));
  const parts: string[] = [];
  let bytes = 0;
  let at = 0;
  while (at < rows.length && parts.length < limit && bytes < pageBytes) {
    const some = rows.slice(at, at + Math.min(rowsAtOnce, limit - parts.length));
    await complete(reading, sight, some);
    const infos = await infosOf(reading, some);
    for (const row of some) {
      if (bytes >= pageBytes) break;
      at += 1;
      if (!isMember(row.member)) continue;
      const part = rowJson(row, infos.get(row.member.conv), (await lastMessage(reading, row)) ?? "null");
      parts.push(part);
      bytes += part.length;
    }
  }
  const last = rows[at - 1];
  const next = at < rows.length && last ? JSON.stringify(`${tsOf(last)} ${last.member.conv}`) : "null";
  return `{"conversations":[${parts.join(",")}],"next":${next}}`;
}

/** Conversations the user is a member of, of one kind (`room`, `p2p` …) or all. */
export async function memberships(reading: Reading, uid: string, kind: string | undefined): Promise<Membership[]> {
  const all = await membershipsOf(reading, uid);
  return all
    .filter((member) => isMember(member) && (kind === undefined || member.conv.startsWith(`${kind}/`)))
    .map(({ conv, role, stays }) => ({ conv, role, joinSeq: stays.at(-1)?.[0] ?? 1 }));
}

/** The other side of the user's latest p2p conversations. */
export async function peers(reading: Reading, uid: string): Promise<string[]> {
  const rows = await latestFirst(reading, uid, "p2p/", 0);
  return rows
    .map(({ member }) => otherSide(member))
    .filter((other) => other !== uid)
    .slice(0, limits.presencePeers);
}

async function latestFirst(reading: Reading, uid: string, prefix: string, bodies: number): Promise<View[]> {
  const all = await membershipsOf(reading, uid);
  const members = all.filter((member) => isMember(member) && member.conv.startsWith(prefix));
  const heads = await headsOf(
    reading.store.log,
    members.map(({ conv }) => conv),
    bodies,
  );
  const rows = members.map((member) => ({ member, head: heads.get(member.conv) }));
  return rows.sort((a, b) => tsOf(b) - tsOf(a) || (a.member.conv < b.member.conv ? -1 : 1));
}

function rowJson({ member, head }: View, info: ConversationInfo | undefined, message: string): string {
  const fields = JSON.stringify({
    conv: member.conv,
    name: info?.name || otherSide(member),
    lastSeq: lastVisible(member, head?.seq ?? 0),
    readSeq: member.readSeq,
    unread: unreadOf(member, head?.ord ?? 0, info?.recalled ?? []),
    muted: member.muted,
    pinned: member.pinned,
  });
  return `${fields.slice(0, -1)},"lastMessage":${message}}`;
}

// Nearly always the head itself: then there is nothing to read.
async function lastMessage({ store }: Reading, { member, head }: View): Promise<string | undefined> {
  if (!head || head.seq <= member.deletedTo) return undefined;
  const last = lastVisible(member, head.seq);
  if (last === head.seq && head.body.byteLength > 0) return messageJson(head);
  return (await readPage(store.log, member, { after: last - 1, before: last + 1, limit: 1 })).messages[0];
}

function tsOf({ head }: { head: LogEntry | undefined }): number {
  return head?.ts ?? 0;
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

function isAfter(row: View, place: { ts: number; conv: string }): boolean {
  return tsOf(row) < place.ts || (tsOf(row) === place.ts && row.member.conv > place.conv);
}
