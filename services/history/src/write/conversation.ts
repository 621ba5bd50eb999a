// One conversation as its writer knows it, and the shelf of those in memory (least recently used go first).
import type { RoomState, Via } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import type { LogEntry } from "@parley/store";
import type { Folded } from "../fold/fold-entry.ts";
import { findAll, type HistoryStore, type Member } from "../keep/store.ts";
import { advance } from "../project/advance.ts";
import { type DirectMessages, readRefused } from "./refused.ts";

/** State as of `lastSeq`; moved only after a commit. */
export interface Conversation extends Folded {
  q: number;
  lastSeq: number;
  lastOrd: number;
  lastTs: number;
  /** seq of the last membership event */
  memberSeq: number;
  /** everybody who ever was a member */
  members: Map<string, Member>;
  /** id of each device's last message here, the latest 64 devices: answers `prev` without a look-up */
  lastIds: Map<string, string>;
  /** unix ms, of its last messages, where the room takes only so many a second: forgotten with the holder */
  sentLately?: readonly number[] | undefined;
  /** of the latest rooms that copies came from: the last place there of which one is here; forgotten with the holder */
  takenFrom?: ReadonlyMap<string, number>;
  /** senders of copies that the store notes as such */
  sendersNoted?: Set<string>;
  /** whose messages the other side does not take, and why; absent: nobody's */
  refused?: ReadonlyMap<string, "blocked" | "not_found">;
  /** unix ms: when this replica last noted in the store that marks change here; `receipts.ts` */
  changeNotedAt?: number;
}

const lastIdsMax = 64;

/** Notes the last id of a device, forgetting the device that was quiet longest. */
export function noteLastId(conversation: Conversation, device: string, id: string): void {
  const { lastIds } = conversation;
  lastIds.delete(device);
  lastIds.set(device, id);
  if (lastIds.size > lastIdsMax) lastIds.delete(lastIds.keys().next().value!);
}

/** When messages were sent of late, with this one, where the room takes only so many a second. */
export function sentLatelyWith(
  { ts }: Pick<LogEntry, "ts">,
  room: RoomState | undefined,
  sentLately: readonly number[] | undefined,
): readonly number[] | undefined {
  const most = room?.settings.messagesPerSecond ?? 0;
  return most > 0 ? [...(sentLately ?? []), ts].slice(-most) : sentLately;
}

const sourcesMax = 64;

/** Up to where copies came from each room, with this one. */
export function takenFromWith(
  { id, seq }: Via,
  takenFrom: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, number> {
  const others = [...(takenFrom ?? [])].filter(([room]) => room !== id);
  return new Map([...others.slice(1 - sourcesMax), [id, seq]]);
}

/** A conversation that nobody has written to yet. */
export function newConversation(conv: string): Conversation {
  return {
    conv,
    q: conversationPartition(conv),
    name: "",
    nameSeq: 0,
    lastSeq: 0,
    lastOrd: 0,
    lastTs: 0,
    memberSeq: 0,
    members: new Map(),
    recalled: [],
    mentionsOfAll: [],
    lastIds: new Map(),
  };
}

/** What is known of a conversation's members and not in the store yet. */
export type PendingIn = (conv: string) => readonly Member[];

/** Reads a conversation as the store has it, with what is still on its way there; an unknown one has lastSeq 0. */
export async function readConversation(
  store: HistoryStore,
  conv: string,
  { pendingIn, direct }: { pendingIn: PendingIn; direct: DirectMessages },
): Promise<Conversation> {
  // Taken before the documents are read: what gets into the store meanwhile is no longer pending afterwards.
  const pending = pendingIn(conv);
  const [heads, members, info, refused] = await Promise.all([
    store.log.heads([conv]),
    findAll(store.members, "by_conv", conv),
    store.infos.get(conv),
    readRefused(store, conv, direct),
  ]);
  const conversation = newConversation(conv);
  conversation.members = withPending(members, pending);
  if (refused) conversation.refused = refused;
  if (info) {
    const { name, nameSeq, room, size, pins, recalled = [], mentionsOfAll = [], expiry, hasUnreadTimers } = info.doc;
    Object.assign(conversation, { name, nameSeq: nameSeq ?? 0, recalled, mentionsOfAll });
    Object.assign(conversation, room && { room }, size && { size }, pins && { pins });
    Object.assign(conversation, expiry && { expiry }, hasUnreadTimers && { hasUnreadTimers });
  }
  const head = heads.get(conv);
  if (head) {
    const { seq, ord, ts, memberSeq } = head;
    Object.assign(conversation, { lastSeq: seq, lastOrd: ord, lastTs: ts, memberSeq });
  }
  return conversation;
}

// What is pending stays the same object: it is what will be put.
function withPending(stored: readonly Member[], pending: readonly Member[]): Map<string, Member> {
  const members = new Map(stored.map((member) => [member.uid, member]));
  for (const member of pending) {
    const document = members.get(member.uid);
    if (document) advance(member, document);
    members.set(member.uid, member);
  }
  return members;
}

/** The conversations in memory. Those that `isPinned` (not yet folded into the store) are never put away. */
export interface Shelf {
  get(conv: string): Conversation | undefined;
  load(conv: string): Promise<Conversation>;
  /** The writer's own state, just moved by a commit: it replaces whatever was read meanwhile. */
  keep(conversation: Conversation): void;
  /** Reads again whom the users of these let in. */
  readDoors(convs: ReadonlySet<string>): Promise<void>;
  /** Forgets conversations, of one partition or all: they are read again. */
  forget(isMeant: (conv: string) => boolean, q?: number): void;
  /** Forgets all of a partition: what was read before counts no more. */
  drop(q: number): void;
}

// About 400 bytes each: rooms of thousands are counted by who is in them.
const membersMax = 1_000_000;

export function createShelf(
  store: HistoryStore,
  max: number,
  options: { isPinned(conversation: Conversation): boolean; pendingIn: PendingIn; direct: DirectMessages },
  most: { members: number } = { members: membersMax },
): Shelf {
  const { isPinned } = options;
  const kept = new Map<string, Conversation>();
  /** how many members each counts for */
  const weights = new Map<string, number>();
  let members = 0;
  const loading = new Map<string, Promise<Conversation>>();

  function get(conv: string): Conversation | undefined {
    const conversation = kept.get(conv);
    if (!conversation) return undefined;
    kept.delete(conv);
    kept.set(conv, conversation);
    return conversation;
  }

  function put(conversation: Conversation): void {
    remove(conversation.conv);
    kept.set(conversation.conv, conversation);
    weights.set(conversation.conv, conversation.members.size);
    members += conversation.members.size;
    makeRoom();
  }

  function remove(conv: string): void {
    kept.delete(conv);
    members -= weights.get(conv) ?? 0;
    weights.delete(conv);
  }

  // What was used last stays, however large it is.
  function makeRoom(): void {
    for (const [conv, conversation] of kept) {
      if (kept.size <= 1 || (kept.size <= max && members <= most.members)) return;
      if (!isPinned(conversation)) remove(conv);
    }
  }

  function load(conv: string): Promise<Conversation> {
    const known = get(conv);
    if (known) return Promise.resolve(known);
    const underWay = loading.get(conv);
    if (underWay) return underWay;
    const started = readConversation(store, conv, options)
      .then((conversation) => {
        // Dropped while it was read: what was read may be of before, so it is not kept.
        if (loading.get(conv) === started) put(conversation);
        return conversation;
      })
      .finally(() => {
        if (loading.get(conv) === started) loading.delete(conv);
      });
    loading.set(conv, started);
    return started;
  }

  async function readDoors(conv: string): Promise<void> {
    const conversation = await load(conv);
    const refused = await readRefused(store, conv, options.direct);
    if (refused) conversation.refused = refused;
    else delete conversation.refused;
  }

  return {
    get,
    load,
    async readDoors(convs) {
      const direct = [...convs].filter((conv) => !conv.startsWith("room/"));
      await Promise.all(direct.map(readDoors));
    },
    keep(conversation) {
      loading.delete(conversation.conv);
      put(conversation);
    },
    forget(isMeant, q) {
      for (const [conv, conversation] of kept)
        if ((q === undefined || conversation.q === q) && isMeant(conv)) remove(conv);
      for (const conv of loading.keys()) if (isMeant(conv)) loading.delete(conv);
    },
    drop(q) {
      for (const [conv, conversation] of kept) if (conversation.q === q) remove(conv);
      for (const conv of loading.keys()) if (conversationPartition(conv) === q) loading.delete(conv);
    },
  };
}
