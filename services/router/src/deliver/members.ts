// The member lists of rooms as routers need them: cached, as of a membership event, read again when a message is newer.
import type { MemberList, MemberRow, MembersRequest, Recipients } from "@parley/protocol";
import { LRUCache } from "lru-cache";

const roomsKept = 5_000;
const rowsKept = 2_000_000;
// How long somebody who was removed may still take part in what is never stored, when the word of it was lost.
const ephemeralAgeMs = 2_000;

/** A list, with those who are members now. */
export interface CachedList extends MemberList {
  /** its stays are complete from this message on */
  from: number;
  present: Recipients;
  current: ReadonlySet<string>;
  /** performance.now() when history was last asked for it */
  askedAt: number;
}

/** A message: its `seq`, and that of the last membership event at it. */
export interface At {
  seq: number;
  memberSeq: number;
}

export interface Members {
  /** The cached list, if it says who is to get this message. */
  known(conv: string, at: At): CachedList | undefined;
  /** Reads a list that does. Rejects when history cannot be asked. */
  read(conv: string, at: At): Promise<CachedList>;
  /** The list as it was at most two seconds ago. */
  recent(conv: string): Promise<CachedList>;
  /** A membership changed: older lists are forgotten. */
  changed(conv: string, memberSeq: number): void;
}

/** Asks the holder of the conversation; undefined: the list that is `known` is still the one. */
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
    const list = await ask({ conv, seq: from, ...(known ? { known: known.memberSeq } : {}) });
    const cached = list ? asCached(list, from, askedAt) : { ...(known as CachedList), askedAt };
    if (saysMore(cached, lists.peek(conv))) lists.set(conv, cached);
    return cached;
  }

  // Those who want the same list at once share a read.
  function readShared(conv: string, from: number, known?: CachedList): Promise<CachedList> {
    const underWay = reading.get(conv);
    if (underWay && underWay.from <= from) return underWay.list;
    const list = readFrom(conv, from, known).finally(() => {
      if (reading.get(conv)?.list === list) reading.delete(conv);
    });
    reading.set(conv, { from, list });
    return list;
  }

  return {
    known(conv, { seq, memberSeq }) {
      const list = lists.get(conv);
      return list && list.memberSeq >= memberSeq && list.from <= seq ? list : undefined;
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
      if (list && now() - list.askedAt < ephemeralAgeMs) return list;
      return readShared(conv, list?.from ?? Number.MAX_SAFE_INTEGER, list);
    },
    changed(conv, memberSeq) {
      if ((lists.peek(conv)?.memberSeq ?? memberSeq) < memberSeq) lists.delete(conv);
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
  const users = list.members.filter((member) => staysAt(member, seq)).map(({ uid }) => uid);
  return { users, devices: [] };
}

function staysAt({ stays }: MemberRow, seq: number): boolean {
  return stays.some(([joinSeq, leftSeq]) => joinSeq <= seq && (leftSeq === null || seq <= leftSeq));
}

function asCached(list: MemberList, from: number, askedAt: number): CachedList {
  const uids = list.members.filter(({ stays }) => stays.at(-1)?.[1] === null).map(({ uid }) => uid);
  return { ...list, from, present: { users: uids, devices: [] }, current: new Set(uids), askedAt };
}
