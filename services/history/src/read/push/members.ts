// How users have the conversations that notifications are about, and how much they have not read in all of theirs.
import { setImmediate as nextLoop } from "node:timers/promises";
import { isThereWith, type PushAsked } from "@parley/protocol";
import { asSeenWith } from "../../fold/devices.ts";
import { isMember, unreadOf } from "../../fold/members.ts";
import { type Member, memberKey } from "../../keep/store.ts";
import type { End } from "../ends/end.ts";
import { complete, keptMembershipsOf, look, type Reading } from "../reading.ts";
import { countRow, movedRows, type Tally, tallyOf } from "./tally.ts";

export interface KnownUsers {
  /** How the user has that conversation, as the log has it now. */
  member(conv: string, uid: string): Member | undefined;
  end(conv: string): End | undefined;
  /** Unread messages of all conversations that the user is in. */
  badge(uid: string): number;
  /** Of those that it is in with the device, where it is in some with some of its devices only. */
  badgeOf(uid: string, clientId: string): number | undefined;
}

const usersAtOnce = 5;

type Tallies = ReadonlyMap<string, Tally>;
type Ends = ReadonlyMap<string, End>;

/** In the order in which whatever moves meanwhile is seen: marks, then documents, then the ends of the log, then what lies between. */
export async function knownUsers(reading: Reading, asked: readonly PushAsked[]): Promise<KnownUsers> {
  const sight = await look(reading);
  const uids = [...new Set(asked.map(({ uid }) => uid))];
  const tallies = await talliesOf(reading, uids);
  const others = await othersOf(reading, asked, tallies);
  const position = await reading.ends.reach(partitionsOf(tallies));
  const moved = [...tallies.values()].flatMap((tally) => movedRows(tally, position));
  const limited = limitedOf(asked, tallies);
  const needed = [asked, others, moved.map(({ member }) => member), limited].flat();
  const ends = await reading.ends.of(needed.map(({ conv }) => conv));
  const rows = [...moved.map(({ member }) => member), ...others].map((member) => ({
    member,
    head: ends.get(member.conv),
  }));
  await complete(reading, sight, rows.filter(({ head }) => head && head.pos > sight.folded(head.q))); // biome-ignore format: one line reads better
  for (const row of moved) countRow(row, ends.get(row.member.conv), position);
  const badges = new Map([...tallies].map(([uid, { total }]) => [uid, total]));
  const byKey = new Map(others.map((member) => [memberKey(member.conv, member.uid), member]));
  return {
    member: (conv, uid) => memberIn(tallies.get(uid), conv) ?? byKey.get(memberKey(conv, uid)),
    end: (conv) => ends.get(conv),
    badge: (uid) => badges.get(uid) ?? 0,
    badgeOf(uid, clientId) {
      const members = tallies.get(uid)?.members ?? [];
      return members.some(isLimited) ? unreadWith(members, ends, clientId) : undefined;
    },
  };
}

// A few at a time: those of whom nothing is kept may have thousands, and messages are stored meanwhile.
async function talliesOf(reading: Reading, uids: readonly string[]): Promise<Map<string, Tally>> {
  const tallies = new Map<string, Tally>();
  for (let at = 0; at < uids.length; at += usersAtOnce) {
    if (at > 0) await nextLoop();
    const some = uids.slice(at, at + usersAtOnce);
    const found = await Promise.all(some.map((uid) => keptMembershipsOf(reading, uid)));
    for (const [index, uid] of some.entries()) tallies.set(uid, tallyOf(found[index] ?? []));
  }
  return tallies;
}

function memberIn(tally: Tally | undefined, conv: string): Member | undefined {
  return tally?.members.find((member) => member.conv === conv);
}

function partitionsOf(tallies: Tallies): Iterable<number> {
  const all = new Set<number>();
  for (const { partitions } of tallies.values()) for (const q of partitions) all.add(q);
  return all;
}

const isLimited = ({ devices, deviceJoins }: Member): boolean => (devices ?? deviceJoins) !== undefined;

/** All conversations of those whose devices see different ones. */
function limitedOf(asked: readonly PushAsked[], tallies: Tallies): Member[] {
  const uids = new Set(asked.flatMap(({ uid, clientId }) => (clientId === undefined ? [] : [uid])));
  return [...uids].flatMap((uid) => {
    const members = tallies.get(uid)?.members ?? [];
    return members.some(isLimited) ? members : [];
  });
}

// Of who is invited, or was there once: no conversation of the user's list.
async function othersOf({ store }: Reading, asked: readonly PushAsked[], tallies: Tallies): Promise<Member[]> {
  const missing = asked.filter(({ conv, uid }) => memberIn(tallies.get(uid), conv) === undefined);
  if (missing.length === 0) return [];
  const found = await store.members.getMany([...new Set(missing.map(({ conv, uid }) => memberKey(conv, uid)))]);
  return [...found.values()].map(({ doc }) => doc);
}

// The same as all rows of that device's list together.
function unreadWith(members: readonly Member[], ends: Ends, clientId: string): number {
  let unread = 0;
  for (const member of members) {
    const end = ends.get(member.conv);
    if (isMember(member) && isThereWith(member, clientId))
      unread += unreadOf(asSeenWith(member, clientId), end?.ord ?? 0, end?.recalled ?? []);
  }
  return unread;
}
