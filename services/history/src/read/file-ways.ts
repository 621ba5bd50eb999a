// The ways on which a file came to users: its owners have it, and whoever can read a message with it of somebody who has it.
import { isThereWith, namedMembers, parseConv } from "@parley/protocol";
import type { Versioned } from "@parley/store";
import { type Asker, asSeenWith } from "../fold/devices.ts";
import { sees } from "../fold/members.ts";
import { type FilePlace, memberKey } from "../keep/store.ts";
import { byFile, bySender, messageAt, newestFirst, placesOf, type Stored } from "./file-places.ts";

/** Of a file that was sent more often these are looked at: so many of its owners', and so many of others. */
const placesMax = 10_000;
/** Whoever forwards a file must have been able to read it, and so on, so many steps back. */
const stepsMax = 8;
/** On all these ways back so many users are looked at, and so many of their memberships. */
const usersMax = 100;
const membershipsMax = 40_000;
/** Messages that are looked up for one question. */
const readsMax = 200;

interface Search {
  store: Stored;
  file: string;
  /** who may have it, as far as is known */
  may: Set<string>;
  /** with which device a user asks, if with one */
  devices: ReadonlyMap<string, string | undefined>;
  /** whether a message with it stands in a place, of those that were looked up */
  standing: Map<FilePlace, boolean>;
  readsLeft: number;
  membershipsLeft: number;
}

/** Places that a user can read, by who sent what stands there. */
type Ways = Map<string, Map<string, FilePlace[]>>;

/** Those of the users who may have it, its owners included. What would be more work than the bounds allow grants nothing. */
export async function whoMay(
  store: Stored,
  { file, owners }: { file: string; owners: readonly string[] },
  askers: readonly Asker[],
): Promise<ReadonlySet<string>> {
  const may = new Set(owners);
  const asked = askers.map(({ uid }) => uid);
  if (asked.every((uid) => may.has(uid))) return may;
  const devices = new Map(askers.map(({ uid, clientId }) => [uid, clientId]));
  const search: Search = {
    ...{ store, file, may, devices, standing: new Map() },
    ...{ readsLeft: readsMax, membershipsLeft: membershipsMax },
  };
  for await (const places of placesInTurn(search, owners)) {
    await follow(search, places, asked);
    if (asked.every((uid) => may.has(uid))) break;
  }
  return may;
}

// All of them; of many those of its owners first: no one else can put so many before them that they are not found.
async function* placesInTurn({ store, file }: Search, owners: readonly string[]): AsyncGenerator<readonly FilePlace[]> {
  const pages = placesOf(store, byFile(file), placesMax);
  const first: Versioned<FilePlace>[] = (await pages.next()).value ?? [];
  const second = await pages.next();
  if (second.done) return yield first.map(({ doc }) => doc);
  const ofEach = Math.ceil(placesMax / owners.length);
  const found = await Promise.all(owners.map((owner) => allOf(placesOf(store, bySender(file, owner), ofEach))));
  const own = found.flat();
  yield own;
  const rest = [first, second.value].flat().map(({ doc }) => doc);
  const others = [...rest, ...(await allOf(pages))].filter(({ from = "" }) => !owners.includes(from));
  yield [...own, ...others];
}

async function allOf(pages: AsyncIterable<Versioned<FilePlace>[]>): Promise<FilePlace[]> {
  const all: FilePlace[] = [];
  for await (const page of pages) for (const { doc } of page) all.push(doc);
  return all;
}

// Back from who asks, step by step; after each step it is seen how far the file came.
async function follow(search: Search, places: readonly FilePlace[], asked: readonly string[]): Promise<void> {
  const { may } = search;
  const readable = await readableOf(search, places);
  const ways: Ways = new Map();
  let next = asked.filter((uid) => !may.has(uid));
  for (let step = 0; step < stepsMax && next.length > 0; step++) {
    const senders = new Set<string>();
    for (const uid of next.slice(0, usersMax - ways.size)) {
      const way = await bySenders(search, await readable(uid));
      ways.set(uid, way);
      for (const from of way.keys()) senders.add(from);
    }
    await spread(search, ways);
    if (asked.every((uid) => may.has(uid))) return;
    next = [...senders].filter((uid) => !ways.has(uid) && !may.has(uid));
  }
}

async function spread(search: Search, ways: Ways): Promise<void> {
  const { may } = search;
  for (let before = -1; before !== may.size; ) {
    before = may.size;
    for (const [uid, way] of ways) {
      if (may.has(uid)) continue;
      const theirs = [...may].flatMap((from) => way.get(from) ?? []);
      if (await hasStanding(search, theirs)) may.add(uid);
    }
  }
}

/** True if a message stands in one of the places, the newest first. */
async function hasStanding(search: Search, places: readonly FilePlace[]): Promise<boolean> {
  const { standing, store } = search;
  for (const place of newestFirst(places)) {
    if (!standing.has(place)) {
      if (search.readsLeft === 0) return false;
      search.readsLeft -= 1;
      standing.set(place, (await messageAt(store, place)) !== undefined);
    }
    if (standing.get(place)) return true;
  }
  return false;
}

// Where a place was noted without its sender, the message tells who that is.
async function bySenders(search: Search, places: readonly FilePlace[]): Promise<Map<string, FilePlace[]>> {
  const way = new Map<string, FilePlace[]>();
  for (const place of places) {
    const { from = await senderAt(search, place) } = place;
    if (from === undefined) continue;
    const theirs = way.get(from);
    if (theirs) theirs.push(place);
    else way.set(from, [place]);
  }
  return way;
}

async function senderAt(search: Search, place: FilePlace): Promise<string | undefined> {
  if (search.readsLeft <= readsMax / 2) return undefined;
  search.readsLeft -= 1;
  return (await messageAt(search.store, place))?.from;
}

// Documents are right about stays, whoever holds the partition, and about what was recalled.
async function readableOf(
  search: Search,
  all: readonly FilePlace[],
): Promise<(uid: string) => Promise<readonly FilePlace[]>> {
  const { infos, members } = search.store;
  const convs = [...new Set(all.map(({ conv }) => conv))];
  const known = await infos.getMany(convs);
  const recalled = new Map([...known].map(([conv, { doc }]) => [conv, new Set(doc.recalled?.map(([seq]) => seq))]));
  const named = new Map(convs.map((conv) => [conv, namedIn(conv)]));
  const places = all.filter(({ conv, seq }) => !recalled.get(conv)?.has(seq));
  return async (uid) => {
    const its = convs.filter((conv) => named.get(conv)?.includes(uid) ?? true);
    if (its.length === 0 || its.length > search.membershipsLeft) return [];
    search.membershipsLeft -= its.length;
    const found = await members.getMany(its.map((conv) => memberKey(conv, uid)));
    return places.filter(({ conv, seq }) => {
      const member = found.get(memberKey(conv, uid))?.doc;
      const device = search.devices.get(uid);
      if (member && !isThereWith(member, device)) return false;
      return member ? sees(asSeenWith(member, device), seq) : (named.get(conv)?.includes(uid) ?? false);
    });
  };
}

/** Who is in a conversation by its name; undefined: members of a room. */
function namedIn(conv: string): readonly string[] | undefined {
  const parsed = parseConv(conv);
  return parsed && namedMembers(parsed);
}
