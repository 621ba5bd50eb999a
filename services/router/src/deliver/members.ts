// The member lists of rooms as routers need them: cached, as of a membership event, read again when a message is newer.
import { type MemberList, type MemberRow, messagesTopic } from "@parley/protocol";
import { LRUCache } from "lru-cache";

const roomsKept = 5_000;
const rowsKept = 2_000_000;

/** A list, with the topics of those who are members now. */
export interface CachedList extends MemberList {
  topics: string[];
  current: ReadonlySet<string>;
}

export interface Members {
  /** The list as of `memberSeq` or later. Rejects when history cannot be asked. */
  listOf(conv: string, memberSeq: number): CachedList | Promise<CachedList>;
  /** The list as it is cached, however old, or read now. */
  anyListOf(conv: string): CachedList | Promise<CachedList>;
  /** A membership changed: older lists are forgotten. */
  changed(conv: string, memberSeq: number): void;
}

/** `read` asks the holder of the conversation. */
export function createMembers(read: (conv: string) => Promise<MemberList>): Members {
  const lists = new LRUCache<string, CachedList>({
    max: roomsKept,
    maxSize: rowsKept,
    sizeCalculation: ({ members }) => members.length + 1,
  });
  const reading = new Map<string, Promise<CachedList>>();

  function readNow(conv: string): Promise<CachedList> {
    const underWay = reading.get(conv);
    if (underWay) return underWay;
    const started = read(conv)
      .then((list) => {
        const cached = withTopics(list);
        if ((lists.peek(conv)?.memberSeq ?? -1) <= list.memberSeq) lists.set(conv, cached);
        return cached;
      })
      .finally(() => reading.delete(conv));
    reading.set(conv, started);
    return started;
  }

  async function readUntil(conv: string, memberSeq: number): Promise<CachedList> {
    let list = await readNow(conv);
    // A read that began before the event was committed is not new enough.
    if (list.memberSeq < memberSeq) list = await readNow(conv);
    if (list.memberSeq < memberSeq) throw new Error(`members of ${conv} as of ${memberSeq} are not to be had`);
    return list;
  }

  return {
    listOf(conv, memberSeq) {
      const list = lists.get(conv);
      return list && list.memberSeq >= memberSeq ? list : readUntil(conv, memberSeq);
    },
    anyListOf: (conv) => lists.get(conv) ?? readNow(conv),
    changed(conv, memberSeq) {
      if ((lists.peek(conv)?.memberSeq ?? memberSeq) < memberSeq) lists.delete(conv);
    },
  };
}

/** The topics message `seq` goes to: those whose stay holds it. */
export function topicsFor(list: CachedList, seq: number): string[] {
  if (seq > list.memberSeq) return list.topics;
  return list.members.filter((member) => staysAt(member, seq)).map(({ uid }) => messagesTopic(uid));
}

function staysAt({ stays }: MemberRow, seq: number): boolean {
  return stays.some(([joinSeq, leftSeq]) => joinSeq <= seq && (leftSeq === null || seq <= leftSeq));
}

function withTopics(list: MemberList): CachedList {
  const uids = list.members.filter(({ stays }) => stays.at(-1)?.[1] === null).map(({ uid }) => uid);
  return { ...list, topics: uids.map(messagesTopic), current: new Set(uids) };
}
