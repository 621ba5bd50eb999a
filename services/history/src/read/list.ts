// conversations.list: a user's conversations, the latest first.
import { AppError, type Caller, type conversationsList, type ParamsOf, type Pin, parseConv } from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import { isMember, lastVisible, unreadOf } from "../fold/members.ts";
import { unreadMentionsOf } from "../fold/mentions.ts";
import type { ConversationInfo, Member } from "../keep/store.ts";
import { keptExpiry } from "../keep/timers.ts";
import { messageJson } from "./annotated.ts";
import { headsOf } from "./heads.ts";
import { type Place, readPlace, rowsBehind, sortLatestFirst, tsOf, writePlace } from "./listing.ts";
import { settingsOf } from "./own-state.ts";
import { readPage } from "./page.ts";
import { pinsOf } from "./pins.ts";
import { complete, infosOf, look, membershipsOf, type Reading, type Sight, type View } from "./reading.ts";

const defaultLimit = 100;
const rowsAtOnce = 250;
// Of this many last messages one that the member has not deleted for itself is looked for.
const lookedBehind = 50;
// Bodies of last messages held while a page is made; those beyond are read one by one.
const bodyBytes = 4 * 1024 * 1024;

/** The result as JSON text. */
export async function listConversations(
  reading: Reading,
  params: ParamsOf<typeof conversationsList>,
  caller: Caller,
): Promise<string | AppError> {
  const { limit = defaultLimit, page } = params;
  const place = page === undefined ? undefined : readPlace(page);
  if (place instanceof AppError) return place;
  const began = place?.began ?? Date.now();
  const sight = await look(reading);
  const all = await latestFirst(reading, caller.uid);
  const { rows, areMoved } = place ? rowsBehind(all, place) : { rows: all, areMoved: false };
  const { parts, taken } = await fillPage(reading, sight, rows, { limit, maxBytes: pageRoomOf(caller) });
  const next = nextPlace({ began, rows, taken, areMoved, isFirst: place === undefined });
  return `{"conversations":[${parts.join(",")}],"next":${next ? JSON.stringify(writePlace(next)) : "null"}}`;
}

/** What is known of a row's conversation. */
interface About {
  info: ConversationInfo | undefined;
  pins: readonly Pin[] | undefined;
}

interface Listed {
  began: number;
  rows: readonly View[];
  taken: number;
  areMoved: boolean;
  isFirst: boolean;
}

function nextPlace({ began, rows, taken, areMoved, isFirst }: Listed): Place | undefined {
  const last = rows[taken - 1];
  if (taken < rows.length && last) return { began, ts: areMoved ? null : tsOf(last), conv: last.member.conv };
  // One page is one look: nothing has moved since.
  return isFirst || areMoved ? undefined : { began, ts: null, conv: "" };
}

// `taken`: how many rows were gone through.
async function fillPage(
  reading: Reading,
  sight: Sight,
  rows: readonly View[],
  { limit, maxBytes }: { limit: number; maxBytes: number },
): Promise<{ parts: string[]; taken: number }> {
  const parts: string[] = [];
  let room = maxBytes;
  let taken = 0;
  while (taken < rows.length && parts.length < limit) {
    const some = rows.slice(taken, taken + Math.min(rowsAtOnce, limit - parts.length));
    await complete(reading, sight, some);
    const infos = await infosOf(reading, some);
    const pins = await pinsOf(reading, some, infos);
    const about = (conv: string): About => ({ info: infos.get(conv), pins: pins.get(conv) });
    for (const row of some) {
      if (isMember(row.member)) {
        const part = await rowWithin(reading, row, about(row.member.conv), maxBytes);
        room -= Buffer.byteLength(part) + 1;
        if (room < 0 && parts.length > 0) return { parts, taken };
        parts.push(part);
      }
      taken += 1;
    }
  }
  return { parts, taken };
}

// A last message that alone is more than the device takes is left out of the row: `lastSeq` tells that it is there.
async function rowWithin(reading: Reading, row: View, about: About, maxBytes: number): Promise<string> {
  const part = rowJson(row, about, (await lastMessage(reading, row)) ?? "null");
  return Buffer.byteLength(part) <= maxBytes ? part : rowJson(row, about, "null");
}

async function latestFirst(reading: Reading, uid: string): Promise<View[]> {
  const all = await membershipsOf(reading, uid);
  const members = all.filter(isMember);
  const heads = await headsOf(
    reading.store.log,
    members.map(({ conv }) => conv),
    bodyBytes,
  );
  const rows = members.map((member) => ({ member, head: heads.get(member.conv) }));
  return sortLatestFirst(rows);
}

function rowJson({ member, head }: View, { info, pins }: About, message: string): string {
  const settings = settingsOf(member);
  const fields = JSON.stringify({
    conv: member.conv,
    name: settings.name || info?.name || otherSide(member),
    lastSeq: lastVisible(member, head?.seq ?? 0),
    readSeq: member.readSeq,
    unread: unreadOf(member, head?.ord ?? 0, info?.recalled ?? []),
    unreadMentions: unreadMentionsOf(member, head?.ord ?? 0, info ?? {}),
    muted: (settings.mutedUntil ?? 0) > Date.now(),
    pinned: settings.pinnedAt !== undefined,
    settings: member.settings && settings,
    pins: pins?.length ? pins : undefined,
    expiry: info?.expiry?.expiry ?? undefined,
  });
  return `${fields.slice(0, -1)},"lastMessage":${message}}`;
}

// Nearly always the head itself: then there is nothing to read.
async function lastMessage({ store }: Reading, { member, head }: View): Promise<string | undefined> {
  if (!head || head.seq <= member.deletedTo) return undefined;
  const last = lastVisible(member, head.seq);
  if (member.hidden?.length)
    return (await readPage(store, member, { before: last + 1, limit: lookedBehind })).messages.at(-1);
  const isPlain = keptExpiry(head).expiresAfterRead === undefined;
  if (last === head.seq && head.body.byteLength > 0 && isPlain) return messageJson(head);
  return (await readPage(store, member, { after: last - 1, before: last + 1, limit: 1 })).messages[0];
}

function otherSide({ conv, uid }: Member): string {
  const parsed = parseConv(conv);
  if (parsed?.kind === "p2p") return parsed.a === uid ? parsed.b : parsed.a;
  if (parsed?.kind === "dev") return parsed.from === uid ? parsed.uid : parsed.from;
  return conv;
}
