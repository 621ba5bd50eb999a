// Member documents follow the log: what changed in memory is put to the store soon after, and readers see both.
import type { Conversation } from "./conversation.ts";
import { type ConversationInfo, type HistoryStore, type Member, memberKey } from "./store.ts";
import type { Trouble } from "./trouble.ts";

export interface Projection {
  /** These members changed: they are kept in memory until the store has them. */
  touch(members: readonly Member[]): void;
  touchInfo(conversation: Conversation): void;
  isPinned(conversation: Conversation): boolean;
  /** What the store does not have yet of a user's memberships, by conversation. */
  pendingOf(uid: string): ReadonlyMap<string, Member>;
  /** What the store does not have yet of a conversation's members, by user. */
  pendingIn(conv: string): ReadonlyMap<string, Member>;
  /** Puts what is pending now; callers share a write. Rejects with the store's error; nothing is forgotten then. */
  flush(): Promise<void>;
  /** What cannot be put is folded from the log at the next start. */
  close(): Promise<void>;
}

export function startProjection(store: HistoryStore, options: { everyMs: number; trouble: Trouble }): Projection {
  const { everyMs, trouble } = options;
  const pending = new Map<string, Map<string, Member>>();
  const dirty = new Set<Member>();
  const infos = new Map<string, string>();
  const pinned = new Map<string, Map<string, Member>>();
  let writing: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  async function write(): Promise<void> {
    const members = [...dirty];
    const names = [...infos];
    dirty.clear();
    infos.clear();
    try {
      await Promise.all([store.members.put(members.map(documentOf)), store.infos.put(names.map(infoOf))]);
    } catch (error) {
      for (const member of members) dirty.add(member);
      for (const [conv, name] of names) if (!infos.has(conv)) infos.set(conv, name);
      throw error;
    }
    trouble.over("fold_failed");
    for (const member of members) if (!dirty.has(member)) forget(member);
  }

  function remember(member: Member): void {
    dirty.add(member);
    const byConv = pending.get(member.uid) ?? new Map<string, Member>();
    pending.set(member.uid, byConv);
    byConv.set(member.conv, member);
    const byUid = pinned.get(member.conv) ?? new Map<string, Member>();
    pinned.set(member.conv, byUid);
    byUid.set(member.uid, member);
  }

  function forget(member: Member): void {
    const byConv = pending.get(member.uid);
    byConv?.delete(member.conv);
    if (byConv?.size === 0) pending.delete(member.uid);
    const byUid = pinned.get(member.conv);
    byUid?.delete(member.uid);
    if (byUid?.size === 0) pinned.delete(member.conv);
  }

  function flush(): Promise<void> {
    queued ??= writing
      .catch(() => undefined)
      .then(() => {
        queued = undefined;
        writing = write();
        return writing;
      });
    return queued;
  }

  const foldFailed = (error: unknown) => trouble.failed("fold_failed", error);
  const timer = setInterval(() => {
    if (dirty.size === 0 && infos.size === 0) return;
    void flush().catch(foldFailed);
  }, everyMs);

  return {
    touch: (members) => members.forEach(remember),
    touchInfo: ({ conv, name }) => void infos.set(conv, name),
    isPinned: ({ conv }) => pinned.has(conv) || infos.has(conv),
    pendingOf: (uid) => pending.get(uid) ?? none,
    pendingIn: (conv) => pinned.get(conv) ?? none,
    flush,
    async close() {
      clearInterval(timer);
      await flush().catch(foldFailed);
    },
  };
}

const none: ReadonlyMap<string, Member> = new Map();

// A copy: the member may change again while it is on its way, and is then still pending.
function documentOf(member: Member): { key: string; doc: Member } {
  const stays = member.stays.map((stay): typeof stay => [...stay]);
  return { key: memberKey(member.conv, member.uid), doc: { ...member, stays } };
}

function infoOf([conv, name]: [string, string]): { key: string; doc: ConversationInfo } {
  return { key: conv, doc: { conv, name } };
}
