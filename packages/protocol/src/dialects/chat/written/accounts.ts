// An account as a Roster of chat, and a phone as a Profile: with contacts, rooms, favourites and tags.
import { conversationsList } from "../../../methods/history.ts";
import type { ResultOf } from "../../../methods/method.ts";
import { messagesStarred } from "../../../methods/own.ts";
import { presenceList } from "../../../methods/presence.ts";
import { roomsList } from "../../../methods/rooms.ts";
import { rosterList } from "../../../methods/roster.ts";
import { profileGet } from "../../../methods/users.ts";
import type { Contact } from "../../../packets/downlink.ts";
import { readAll } from "../../read-all.ts";
import type { Term } from "../bert/term.ts";
import { contactOf, contactOfUser, namesOf } from "../device/contacts.ts";
import type { Account, Device } from "../device/device.ts";
import { messageId } from "../device/names.ts";
import { readStored, type Stored, type StoredFeature } from "../device/storage.ts";
import { type Star, tag } from "../records/messages.ts";
import { type ChatContact, contact, profile, type Roster, roster } from "../records/people.ts";
import type { RecordOf } from "../records/record.ts";
import { type ChatRoom, room } from "../records/rooms.ts";
import { writeMessage } from "./message.ts";
import { writeRoom } from "./rooms.ts";

type Conversation = ResultOf<typeof conversationsList>["conversations"][number];
type Own = ResultOf<typeof profileGet>;

/** Whole: what does not fit into one packet comes behind it, each contact and room by itself. */
export async function readRoster(device: Device, account: Account, status?: string): Promise<Roster> {
  const { parley } = device;
  const as = { as: account.uid };
  const [own, contacts, rooms, conversations, stars, online, stored] = await Promise.all([
    parley.call(profileGet, {}, as),
    readContacts(device, account.uid),
    parley.call(roomsList, { limit: 500 }, as),
    parley.call(conversationsList, { limit: 1_000 }, as),
    parley.call(messagesStarred, { limit: 100 }, as),
    parley.call(presenceList, {}, as),
    readStored(device, account.uid),
  ]);
  const byConv = new Map(conversations.conversations.map((one) => [one.conv, one]));
  const isOnline = new Set(online.contacts.map(({ uid }) => uid));
  const p2p = (uid: string) =>
    byConv.get(account.uid <= uid ? `p2p/${account.uid}/${uid}` : `p2p/${uid}/${account.uid}`);
  // The list of contacts begins with oneself.
  const userlist = [contactOfUser(device, own), ...contacts.map((one) => contactOf(device, one))].map((one) => ({
    ...one,
    presence: one.phone_id === own.uid || isOnline.has(one.phone_id ?? "") ? "online" : "offline",
  }));
  return {
    ...rosterOf(account, own, stored),
    userlist: await Promise.all(userlist.map((one) => withLast(device, one, p2p(one.phone_id ?? "")))),
    roomlist: await Promise.all(
      rooms.rooms.map((one) => withLast(device, writeRoom(one, [], undefined), byConv.get(one.conv))),
    ),
    favorite: await Promise.all(stars.stars.map((star) => starOf(device, account, star, stored))),
    tags: stored.tags.map((one) => ({ tup: "Tag", ...one, roster_id: account.uid })),
    status,
  };
}

/** Without what is in lists. */
export function rosterOf(account: Account, own: Own, { email }: Pick<Stored, "email">): Roster {
  const [names, surnames] = namesOf(own.name === own.uid ? "" : own.name);
  return {
    tup: "Roster",
    id: account.roster,
    names: names || undefined,
    surnames,
    email: email || undefined,
    nick: own.nick || undefined,
    phone: account.phone,
    avatar: own.avatar || undefined,
    update: 0,
  };
}

export function profileOf(device: Device, rosters: Roster[], status: string, settings: readonly StoredFeature[] = []) {
  return {
    tup: "Profile" as const,
    phone: device.phone,
    rosters,
    settings: settings.map((one) => ({ ...one, tup: "Feature" as const })),
    update: Date.now(),
    presence: "online",
    status,
  };
}

/** Says a Profile or Roster in packets that a broker takes: lists that are too long go on with a packet an entry. */
export async function sayProfile(device: Device, record: RecordOf<typeof profile>): Promise<void> {
  const rest: (() => Promise<void>)[] = [];
  const rosters = (record.rosters ?? []).map((one) => shortened(device, one, rest));
  await device.answer(profile.write({ ...record, rosters }, device.set));
  for (const say of rest) await say();
}

export async function sayRoster(device: Device, record: Roster, topic?: string): Promise<void> {
  const rest: (() => Promise<void>)[] = [];
  const written = roster.write(shortened(device, record, rest), device.set);
  await (topic === undefined ? device.answer(written) : device.say(topic, written));
  for (const say of rest) await say();
}

/** Of each list so many entries: with a last message each they take up to a kilobyte. */
const listedMax = 50;

function shortened(device: Device, record: Roster, rest: (() => Promise<void>)[]): Roster {
  const { userlist = [], roomlist = [], favorite = [] } = record;
  for (const one of userlist.slice(listedMax)) rest.push(() => device.say(device.ses, contact.write(one, device.set)));
  for (const one of roomlist.slice(listedMax))
    rest.push(() => device.say(device.ses, room.write({ ...one, status: "get" }, device.set)));
  return {
    ...record,
    userlist: userlist.slice(0, listedMax),
    roomlist: roomlist.slice(0, listedMax),
    favorite: favorite.slice(0, listedMax),
  };
}

async function readContacts({ parley }: Device, as: string): Promise<Contact[]> {
  const contacts = await readAll(
    (page) => parley.call(rosterList, { limit: 500, ...page }, { as }),
    (page) => page.contacts,
  );
  return contacts.filter(({ relation, blocked }) => relation !== "removed" && (relation !== "none" || blocked));
}

async function withLast<T extends ChatContact | ChatRoom>(
  device: Device,
  record: T,
  of: Conversation | undefined,
): Promise<T> {
  if (!of) return record;
  const reader = of.readSeq === 0 ? undefined : messageId(of.conv, of.readSeq);
  const last_msg = of.lastMessage ? await writeMessage(device, of.lastMessage) : undefined;
  const read = record.tup === "Room" ? { readers: reader === undefined ? [] : [reader] } : { reader };
  return { ...record, ...read, unread: Math.min(of.unread, 100), last_msg };
}

async function starOf(
  device: Device,
  account: Account,
  { conv, seq, tags, message }: ResultOf<typeof messagesStarred>["stars"][number],
  stored: Stored,
): Promise<Star> {
  const ids = stored.tags.filter(({ name }) => tags.includes(name)).map(({ id }) => id);
  return {
    tup: "Star",
    id: messageId(conv, seq),
    roster_id: device.set === "late" ? account.roster : account.uid,
    message: await writeMessage(device, message),
    tags: device.set === "late" ? ids.map((id) => tagTerm(device, account, stored, id)) : ids,
    status: "add",
  };
}

function tagTerm(device: Device, { uid }: Account, { tags }: Stored, id: number): Term {
  return tag.write({ tup: "Tag", ...tags.find((one) => one.id === id), roster_id: uid }, device.set);
}
