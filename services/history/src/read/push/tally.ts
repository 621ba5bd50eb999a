// How much a user has not read in all its conversations, added up once: afterwards only what is of partitions that moved is looked at.
import { conversationPartition } from "@parley/protocol/partition";
import { isMember, unreadOf } from "../../fold/members.ts";
import type { Member } from "../../keep/store.ts";
import type { End } from "../ends/end.ts";

/** Of documents that are kept: when one of them is written there are others, and nothing is added up yet. */
export interface Tally {
  /** those of the conversations that the user is in */
  members: readonly Member[];
  /** of each its partition, the position of that up to which it was looked at, and what was unread there */
  partitions: Uint8Array;
  positions: Float64Array;
  unread: Float64Array;
  total: number;
}

/** One of the conversations, by its place in the tally. */
export interface Row {
  tally: Tally;
  at: number;
  member: Member;
}

const tallies = new WeakMap<readonly Member[], Tally>();

export function tallyOf(memberships: readonly Member[]): Tally {
  const known = tallies.get(memberships);
  if (known) return known;
  const members = memberships.filter(isMember);
  const tally: Tally = {
    members,
    partitions: Uint8Array.from(members, ({ conv }) => conversationPartition(conv)),
    positions: new Float64Array(members.length).fill(-1),
    unread: new Float64Array(members.length),
    total: 0,
  };
  tallies.set(memberships, tally);
  return tally;
}

/** Those of which something may have come. */
export function movedRows(tally: Tally, position: (q: number) => number): Row[] {
  const { members, partitions, positions } = tally;
  const moved: Row[] = [];
  for (let at = 0; at < members.length; at++) {
    const member = members[at];
    if (member && positions[at] !== position(partitions[at] ?? 0)) moved.push({ tally, at, member });
  }
  return moved;
}

/** `position`: of before `end` was taken. The member is complete up to `end`. */
export function countRow({ tally, at, member }: Row, end: End | undefined, position: (q: number) => number): void {
  const now = isMember(member) ? unreadOf(member, end?.ord ?? 0, end?.recalled ?? []) : 0;
  tally.total += now - (tally.unread[at] ?? 0);
  tally.unread[at] = now;
  tally.positions[at] = position(tally.partitions[at] ?? 0);
}
