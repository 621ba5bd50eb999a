// What search asks: what a user may read, the messages it found, and where the log ends.
import {
  AppError,
  type LogEnds,
  limits,
  type MessagePlace,
  type MessagesRequest,
  type ReadableConversation,
  type ReadablePage,
  type ReadableRequest,
} from "@parley/protocol";
import { conversationPartitionCount } from "@parley/protocol/partition";
import { pageRoomOf } from "@parley/runtime";
import type { LogEntry, MessageLog } from "@parley/store";
import type { Asker } from "../fold/devices.ts";
import { mayRead, memberOrRefusal, sees } from "../fold/members.ts";
import { entryAt } from "../keep/entry-at.ts";
import { type HistoryStore, type Member, memberKey } from "../keep/store.ts";
import { annotateMessages } from "./annotated.ts";
import { hideExpired } from "./expired.ts";
import { tooLarge } from "./page.ts";
import { membershipPages, type Reading } from "./reading.ts";

const pageRows = 1_000;
const pageBytes = limits.requestBytes / 2;
const placesMost = 200;
// `{"taken":…,"results":[]}` and what the reply has around it
const overhead = 64;

/** Documents alone are right about who is a member, as for a list of memberships. */
export async function readable(reading: Reading, { uid, after }: ReadableRequest): Promise<ReadablePage> {
  const conversations: ReadableConversation[] = [];
  let bytes = 0;
  for await (const members of membershipPages(reading, { asker: { uid }, after, count: () => pageRows })) {
    for (const { conv, stays, deletedTo, devices } of members) {
      const row = { conv, stays, deletedTo, ...(devices && { devices: [...devices] }) };
      bytes += JSON.stringify(row).length;
      conversations.push(row);
      if (bytes > pageBytes) return { conversations, next: conv };
    }
  }
  return { conversations };
}

/** JSON text (`takenPattern`). What was recalled or erased since it was found is left out. */
export async function messagesAt(
  reading: Reading,
  { uid, places, ...device }: MessagesRequest,
): Promise<string | AppError> {
  if (!Array.isArray(places) || places.length > placesMost)
    throw new AppError("invalid_packet", `places: at most ${placesMost}`);
  const room = pageRoomOf(device) - overhead;
  const { members, recalled } = await sightOf(reading, { uid, ...device }, places);
  const found = await Promise.all(
    places.map((place) => {
      const member = members.get(place.conv);
      const isSeen = member && sees(member, place.seq);
      return isSeen && !recalled.has(`${place.conv} ${place.seq}`)
        ? resultJson(reading.store, member, place)
        : undefined;
    }),
  );
  const results: string[] = [];
  let left = room;
  for (const [at, result] of found.entries()) {
    const bytes = result === undefined ? 0 : Buffer.byteLength(result) + 1;
    if (bytes > left && results.length > 0) return answer(at, results);
    // One that is larger than a page is a page of its own, unless the device said what it takes.
    if (bytes > left && device.maxBytes !== undefined) return tooLarge(places[at]!.conv, places[at]!.seq, bytes);
    left -= bytes;
    if (result !== undefined) results.push(result);
  }
  return answer(places.length, results);
}

export async function logEnds(log: MessageLog): Promise<LogEnds> {
  const partitions = Array.from({ length: conversationPartitionCount }, (_, q) => q);
  return { ends: await Promise.all(partitions.map(async (q) => (await log.last(q)).pos)) };
}

const answer = (taken: number, results: readonly string[]) => `{"taken":${taken},"results":[${results.join(",")}]}`;

async function sightOf({ store }: Reading, asker: Asker, places: readonly MessagePlace[]) {
  const { uid } = asker;
  const convs = [...new Set(places.map(({ conv }) => conv))];
  const [documents, infos] = await Promise.all([
    store.members.getMany(convs.map((conv) => memberKey(conv, uid))),
    store.infos.getMany(convs),
  ]);
  const members = new Map<string, Member>();
  for (const conv of convs) {
    const known = documents.get(memberKey(conv, uid))?.doc;
    const member = memberOrRefusal({ conv, member: known, room: undefined }, asker);
    if (!(member instanceof AppError)) members.set(conv, member);
  }
  const recalled = [...infos].flatMap(([conv, { doc }]) => (doc.recalled ?? []).map(([seq]) => `${conv} ${seq}`));
  return { members, recalled: new Set(recalled) };
}

// What an edit says is found by those whose stay holds the edit.
async function resultJson(
  store: Pick<HistoryStore, "log" | "annotations" | "timers">,
  member: Member,
  { conv, seq, version }: MessagePlace,
): Promise<string | undefined> {
  if (!mayRead(member, version)) return undefined;
  const message = await messageAt(store, conv, seq);
  if (!message) return undefined;
  const [text] = await annotateMessages(store, member, [message]);
  return `{"message":${text}}`;
}

// undefined where nothing is kept of it, and where its text was erased or its time is over.
async function messageAt(
  store: Pick<HistoryStore, "log" | "timers">,
  conv: string,
  seq: number,
): Promise<LogEntry | undefined> {
  const found = await entryAt(store, conv, seq);
  const [entry] = found ? await hideExpired(store, [found]) : [];
  return entry && entry.body.byteLength > 0 ? entry : undefined;
}
