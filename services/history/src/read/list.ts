// conversations.list: a user's conversations, the latest first.
import { AppError, type Caller, type conversationsList, type ParamsOf, type Pin } from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import { isMember, lastVisible, unreadOf } from "../fold/members.ts";
import { unreadMentionsOf } from "../fold/mentions.ts";
import type { ConversationInfo, Member } from "../keep/store.ts";
import { keptExpiry, timerOf } from "../keep/timers.ts";
import { messageJson } from "./annotated.ts";
import { headsOf } from "./heads.ts";
import { type Place, readPlace, rowsBehind, sortLatestFirst, tsOf, writePlace } from "./listing.ts";
import { type Names, type NamesFor, otherSide } from "./names.ts";
import { settingsOf } from "./own-state.ts";
import { readPage } from "./page.ts";
import { pinsOf } from "./pins.ts";
import { complete, infosOf, look, membershipsOf, type Reading, type Sight, type View } from "./reading.ts";

const defaultLimit = 100;
const rowsAtOnce = 250;
// Bytes of a row without message, with the shortest of names and numbers.
const smallestRow = 120;
// Of this many last messages one that the member has not deleted for itself is looked for.
const lookedBehind = 50;
// Bodies of last messages held while a page is made; those beyond are read one by one.
const bodyBytes = 4 * 1024 * 1024;

/** The result as JSON text. */
export async function listConversations(
  reading: Reading,
  params: ParamsOf<typeof conversationsList>,
  caller: Caller,
  namesFor: NamesFor,
): Promise<string | AppError> {
  const { limit = defaultLimit, page } = params;
  const place = page === undefined ? undefined : readPlace(page);
  if (place instanceof AppError) return place;
  const began = place?.began ?? Date.now();
  const sight = await look(reading);
  const members = (await membershipsOf(reading, caller)).filter(isMember);
  const all = await latestFirst(reading, members);
  const { rows, areMoved } = place ? rowsBehind(all, place) : { rows: all, areMoved: false };
  const maxBytes = pageRoomOf(caller);
  // api looks for them while the rest is read here.
  const names = namesFor(caller.uid, fitting(rows, limit, maxBytes));
  const { parts, taken } = await fillPage(reading, sight, rows, { limit, maxBytes, names });
  const next = nextPlace({ began, rows, taken, areMoved, isFirst: place === undefined });
  return `{"conversations":[${parts.join(",")}],"next":${next ? JSON.stringify(writePlace(next)) : "null"}}`;
}

// All that may be on the page, and few that are not: each name costs a look at what api keeps.
function fitting(rows: readonly View[], limit: number, maxBytes: number): Member[] {
  let room = maxBytes;
  const last = rows.findIndex((row) => {
    room -= smallestRow + leastShown(row);
    return room < 0;
  });
  return rows.slice(0, last < 0 ? limit : Math.min(limit, last + 1)).map(({ member }) => member);
}

/** How many bytes of its last message a row shows at least. */
function leastShown({ member, head }: View): number {
  if (!head || head.seq <= member.deletedTo || member.hidden?.length || timerOf(head)) return 0;
  return lastVisible(member, head.seq) === head.seq ? head.body.byteLength : 0;
}

/** What is known of a row's conversation. */
interface About {
  info: ConversationInfo | undefined;
  pins: readonly Pin[] | undefined;
  /** of the other of two */
  name: string | undefined;
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
  { limit, maxBytes, names }: { limit: number; maxBytes: number; names: Promise<Names> },
): Promise<{ parts: string[]; taken: number }> {
  const parts: string[] = [];
  let room = maxBytes;
  let taken = 0;
  while (taken < rows.length && parts.length < limit) {
    const some = rows.slice(taken, taken + Math.min(rowsAtOnce, limit - parts.length));
    await complete(reading, sight, some);
    const infos = await infosOf(reading, some);
    const pins = await pinsOf(reading, some, infos);
    const known = await names;
    const about = ({ member }: View): About => {
      const { conv } = member;
      const other = otherSide(member);
      const name = other === undefined ? undefined : (known.get(other) ?? other);
      return { info: infos.get(conv), pins: pins.get(conv), name };
    };
    for (const row of some) {
      if (isMember(row.member)) {
        const part = await rowWithin(reading, row, about(row), maxBytes);
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

async function latestFirst(reading: Reading, members: readonly Member[]): Promise<View[]> {
  const heads = await headsOf(
    reading.store.log,
    members.map(({ conv }) => conv),
    bodyBytes,
  );
  const rows = members.map((member) => ({ member, head: heads.get(member.conv) }));
  return sortLatestFirst(rows);
}

function rowJson({ member, head }: View, { info, pins, name }: About, message: string): string {
  const settings = settingsOf(member);
  const fields = JSON.stringify({
    conv: member.conv,
    name: settings.name || info?.name || (name ?? member.conv),
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
