// messages.pins, and the pins of each conversation in a list: what was recalled since is none any more.
import { AppError, type Caller, type messagesPins, type ParamsOf, type Pin } from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import { isPresent, sees } from "../fold/members.ts";
import { annotationsKey } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { ConversationInfo, HistoryStore, Member, Recalled } from "../keep/store.ts";
import { recalledMax } from "../project/advance.ts";
import { annotateMessages } from "./annotated.ts";
import { hideExpired } from "./expired.ts";
import { tooLarge } from "./page.ts";
import { memberOf, type Reading, readerOf, type View } from "./reading.ts";

/** The result as JSON text. */
export async function pinnedMessages(
  reading: Reading,
  { conv, page }: ParamsOf<typeof messagesPins>,
  caller: Caller,
): Promise<string | AppError> {
  if (page !== undefined && !/^\d{1,15}$/.test(page))
    return new AppError("invalid_packet", "page is not a token of this method");
  const { store } = reading;
  const known = await memberOf(reading, conv, caller.uid);
  const member = await readerOf(reading, { conv, asker: caller, known });
  if (member instanceof AppError) return member;
  const before = page === undefined ? Number.POSITIVE_INFINITY : Number(page);
  const info = (await store.infos.get(conv))?.doc;
  const [pins = []] = await visiblePins(store, [{ member, info }]);
  const asked = pins.filter(({ at }) => at < before).toReversed();
  const rows: string[] = [];
  let room = pageRoomOf(caller);
  for (const [index, pin] of asked.entries()) {
    const row = await rowOf(store, member, pin);
    if (row === undefined) continue;
    const bytes = Buffer.byteLength(row) + 1;
    room -= bytes;
    if (room < 0 && rows.length === 0 && caller.maxBytes !== undefined) return tooLarge(conv, pin.seq, bytes);
    if (room < 0 && rows.length > 0) return answer(rows, asked[index - 1]);
    rows.push(row);
  }
  return answer(rows, undefined);
}

function answer(rows: readonly string[], last: Pin | undefined): string {
  return `{"pins":[${rows.join(",")}],"next":${last ? JSON.stringify(`${last.at}`) : "null"}}`;
}

async function rowOf(store: HistoryStore, member: Member, pin: Pin): Promise<string | undefined> {
  const found = await entryAt(store, member.conv, pin.seq);
  const [entry] = found ? await hideExpired(store, [found]) : [];
  if (!entry || entry.body.byteLength === 0) return undefined;
  const [message] = await annotateMessages(store, member, [entry]);
  return `${JSON.stringify(pin).slice(0, -1)},"message":${message}}`;
}

/** By conversation, those that have some. Nothing is looked up where nothing is pinned. */
export async function pinsOf(
  { store }: Reading,
  views: readonly View[],
  infos: ReadonlyMap<string, ConversationInfo>,
): Promise<ReadonlyMap<string, readonly Pin[]>> {
  const pinned = views
    .map(({ member }) => ({ member, info: infos.get(member.conv) }))
    .filter(({ info }) => info?.pins?.list.length);
  const visible = await visiblePins(store, pinned);
  return new Map(pinned.map(({ member }, index) => [member.conv, visible[index] ?? []]));
}

async function visiblePins(
  store: Pick<HistoryStore, "annotations">,
  pinned: readonly { member: Member; info: ConversationInfo | undefined }[],
): Promise<Pin[][]> {
  const visible: Pin[][] = [];
  // One after the other: nearly always nothing is read.
  for (const { member, info } of pinned) {
    // What was pinned after its stays is not told to who has left, and nothing says when a pin went.
    const pins = isPresent(member) ? (info?.pins?.list ?? []) : [];
    const seen = pins.filter(({ seq }) => sees(member, seq));
    const recalled = await recalledOf(store, member.conv, seen, info?.recalled ?? []);
    visible.push(seen.filter(({ seq }) => !recalled.has(seq)));
  }
  return visible;
}

// The conversation has its latest recalls, often all; of pins before those what was said is read, which may be much of each.
async function recalledOf(
  { annotations }: Pick<HistoryStore, "annotations">,
  conv: string,
  pins: readonly Pin[],
  recalls: readonly Recalled[],
): Promise<ReadonlySet<number>> {
  const recalled = new Set(recalls.map(([seq]) => seq));
  const knownFrom = recalls.length < recalledMax ? 0 : (recalls[0]?.[0] ?? 0);
  for (const { seq } of pins) {
    if (seq >= knownFrom) continue;
    if ((await annotations.get(annotationsKey(conv, seq)))?.doc.recall) recalled.add(seq);
  }
  return recalled;
}
