// The member lists of rooms, for services that tell members of messages: cached, as of a membership event. When a message is newer,
// what changed since is read.
import {
  type MemberList,
  type MemberRow,
  type MembersRequest,
  otherDevices,
  type Receiver,
  type Recipients,
  recipientsOfAll,
} from "@parley/protocol";
import { LRUCache } from "lru-cache";
import { withChanges } from "./ask-members.ts";

const roomsKept = 5_000;
const rowsKept = 2_000_000;
// How long somebody who was removed may still take part in what is never stored, when the word of it was lost.
const ephemeralAgeMs = 2_000;
// Of those who left while a list was kept: beyond so many, or a tenth of the members, the list is read anew without them.
const formerKept = 1_000;

/** A list, with those who were members as of it. */
export interface CachedList extends MemberList {
  /** its stays are complete from this message on */
  from: number;
  present: Recipients;
  /** how many they are */
  size: number;
  /** somebody came or went since: good for nothing but to be brought up to date */
  isOld: boolean;
  /** performance.now() when history was last asked for it */
  askedAt: number;
}

/** A message: its `seq`, and that of the last membership event at it. */
export interface StoredAt {
  seq: number;
  memberSeq: number;
}

export interface Members {
  /** The cached list, if it says who is to get this message. */
  known(conv: string, at: StoredAt): CachedList | undefined;
  /** Reads a list that does. Rejects when history cannot be asked. */
  read(conv: string, at: StoredAt): Promise<CachedList>;
  /** The list as it was at most two seconds ago. */
  recent(conv: string): Promise<CachedList>;
  /** A membership changed: older lists are used no more as they are. */
  changed(conv: string, memberSeq: number): void;
}

/** Asks the holder of the conversation; undefined: the list that is `known` is still the one. `since`: what changed about it. */
export type ReadMembers = (request: MembersRequest) => Promise<MemberList | undefined>;

export function createMembers(ask: ReadMembers, now: () => number = () => performance.now()): Members {
  const lists = new LRUCache<string, CachedList>({
    max: roomsKept,
    maxSize: rowsKept,
    sizeCalculation: ({ members }) => members.length + 1,
  });
  const reading = new Map<string, { from: number; list: Promise<CachedList> }>();

  async function readFrom(conv: string, from: number, known?: CachedList): Promise<CachedList> {
    const askedAt = now();
    const list = await ask({ conv, seq: from, ...(known ? { known: known.memberSeq, changes: true } : {}) });
    const cached = asCached(list ? whole(list, known) : (known as CachedList), from, askedAt);
    if (saysMore(cached, lists.peek(conv))) lists.set(conv, cached);
    return cached;
  }

  // Those who want the same list at once share a read.
  function readShared(conv: string, seq: number): Promise<CachedList> {
    const underWay = reading.get(conv);
    if (underWay && underWay.from <= seq) return underWay.list;
    const known = baseFor(lists.peek(conv), seq);
    const from = known?.from ?? seq;
    const list = readFrom(conv, from, known).finally(() => {
      if (reading.get(conv)?.list === list) reading.delete(conv);
    });
    reading.set(conv, { from, list });
    return list;
  }

  return {
    known(conv, { seq, memberSeq }) {
      const list = lists.get(conv);
      return list && !list.isOld && list.memberSeq >= memberSeq && list.from <= seq ? list : undefined;
    },
    async read(conv, { seq, memberSeq }) {
      let list = await readShared(conv, seq);
      // A read that began before the event was committed is not new enough.
      if (list.memberSeq < memberSeq) list = await readShared(conv, seq);
      if (list.memberSeq < memberSeq) throw new Error(`members of ${conv} as of ${memberSeq} are not to be had`);
      return list;
    },
    async recent(conv) {
      const list = lists.get(conv);
      if (list && !list.isOld && now() - list.askedAt < ephemeralAgeMs) return list;
      return readShared(conv, list?.from ?? Number.MAX_SAFE_INTEGER);
    },
    changed(conv, memberSeq) {
      const list = lists.peek(conv);
      if (list && list.memberSeq < memberSeq) list.isOld = true;
    },
  };
}

function saysMore(list: CachedList, than: CachedList | undefined): boolean {
  if (!than || list.memberSeq !== than.memberSeq) return !than || list.memberSeq > than.memberSeq;
  return list.from <= than.from;
}

/** Whom message `seq` goes to: those whose stay holds it. */
export function membersAt(list: CachedList, seq: number): Recipients {
  if (seq > list.memberSeq) return list.present;
  return recipientsAmong(list, seq, (member) => staysAt(member, seq));
}

/** Those of its members, with the devices with which they are there at message `seq`. */
export function recipientsAmong(list: CachedList, seq: number, isMeant: (member: MemberRow) => boolean): Recipients {
  const { open } = list.present;
  const meant = list.members.filter(isMeant).map((member) => receiverAt(member, seq));
  return recipientsOfAll(meant, open === undefined ? {} : { open });
}

// A list may be of behind a device's coming in.
function receiverAt(member: MemberRow, seq: number): Receiver {
  const { uid, devices, deviceJoins } = member;
  if (!deviceJoins) return member;
  const joinOf = (clientId: string) => deviceJoins.find(([one]) => one === clientId)?.[1] ?? 0;
  if (devices) return { uid, devices: devices.filter((clientId) => joinOf(clientId) <= seq) };
  if (joinOf(otherDevices) <= seq) return { uid };
  return { uid, devices: deviceJoins.flatMap(([one, from]) => (from <= seq && one !== otherDevices ? [one] : [])) };
}

export function staysAt({ stays }: MemberRow, seq: number): boolean {
  return stays.some(([joinSeq, leftSeq]) => joinSeq <= seq && (leftSeq === null || seq <= leftSeq));
}

/** The list that only what changed has to be read for. */
function baseFor(list: CachedList | undefined, seq: number): CachedList | undefined {
  if (!list || list.from > seq) return undefined;
  const { size } = list;
  return list.members.length - size > Math.max(formerKept, size / 10) ? undefined : list;
}

function whole(list: MemberList, known: CachedList | undefined): MemberList {
  return known && list.since === known.memberSeq
    ? { ...list, members: withChanges(known.members, list.members) }
    : list;
}

function asCached({ conv, memberSeq, members, guests }: MemberList, from: number, askedAt: number): CachedList {
  const here = members.filter(({ stays }) => stays.at(-1)?.[1] === null);
  const present = recipientsOfAll(here, guests ? { open: conv } : {});
  return { conv, memberSeq, members, from, present, size: here.length, isOld: false, askedAt };
}
