// Member documents follow the log: what changed in memory is put to the store soon after, forward only.
import { conversationPartition, conversationPartitionCount } from "@parley/protocol/partition";
import type { Pass } from "@parley/runtime";
import { type Annotations, annotationsKey, laterAnnotations } from "../keep/annotations.ts";
import { type ConversationInfo, type HistoryStore, type Member, memberKey } from "../keep/store.ts";
import type { Trouble } from "../keep/trouble.ts";
import { advance, copyMember, laterInfo, laterMember } from "./advance.ts";
import { putForward } from "./forward.ts";
import { type Changes, createPending, type Pending } from "./pending.ts";

export interface Projection {
  /** These members changed: they are kept in memory until the store has them. */
  touch(members: Iterable<Member>): void;
  touchInfo(info: ConversationInfo): void;
  touchAnnotations(annotations: Annotations): void;
  /** The store may not have all of this conversation yet. */
  isPinned(conversation: { conv: string }): boolean;
  /** What the store may not have yet of one member. */
  pending(conv: string, uid: string): Member | undefined;
  /** What the store may not have yet of a conversation's members. */
  pendingIn(conv: string): readonly Member[];
  /** How often something pending of the partition got into the store: a reader sees whether it happened meanwhile. */
  settled(q: number): number;
  /** Rejects with the store's error while more is pending than may be and it cannot be put: nothing is taken then. */
  room(): Promise<void> | undefined;
  /** Resolves when the store has these changes; who asks meanwhile shares the next write. Rejects with its error. */
  put(changes: Changes): Promise<void>;
  /** Resolves when the store has everything touched before, of one partition or all. Nothing is forgotten if it fails. */
  flush(q?: number): Promise<void>;
  /** What cannot be put is folded from the log by whoever comes next. */
  close(): Promise<void>;
}

type ProjectedStore = Pick<HistoryStore, "members" | "infos" | "annotations" | "log">;

// About 30 MB; reached only while documents cannot be written for long.
const pendingMax = 100_000;

/** `pass`: marks points where a test can end the process. */
export function startProjection(
  store: ProjectedStore,
  options: { everyMs: number; trouble: Trouble; pass: Pass },
): Projection {
  const { everyMs, trouble, pass } = options;
  const pending = createPending();
  const settled = new Uint32Array(conversationPartitionCount);
  const writing = new Set<Promise<void>>();
  let asked: Pending[] = [];
  let next: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();

  async function write(items: readonly Pending[]): Promise<void> {
    if (items.length === 0) return;
    for (const item of items) pending.begin(item);
    try {
      await writeAll(store, items, pass);
    } catch (error) {
      for (const item of items) pending.failed(item);
      throw error;
    }
    trouble.over("fold_failed");
    for (const item of items) if (pending.done(item)) settled[conversationPartition(item.conv)]! += 1;
  }

  function tracked(items: readonly Pending[]): Promise<void> {
    const work = write(items).finally(() => writing.delete(work));
    writing.add(work);
    return work;
  }

  function put(changes: Changes): Promise<void> {
    asked.push(...pending.of(changes));
    next ??= last
      .catch(() => undefined)
      .then(() => {
        const items = [...new Set(asked)];
        asked = [];
        next = undefined;
        last = tracked(items);
        return last;
      });
    return next;
  }

  async function flush(q?: number): Promise<void> {
    const items = pending.dirty(q);
    await Promise.all([...writing, tracked(items)]);
  }

  const foldFailed = (error: unknown) => trouble.failed("fold_failed", error);
  const timer = setInterval(() => void flush().catch(foldFailed), everyMs);

  return {
    touch(members) {
      for (const member of members) pending.touch(member);
    },
    touchInfo: (info) => pending.touchInfo(info),
    touchAnnotations: (annotations) => pending.touchAnnotations(annotations),
    isPinned: ({ conv }) => pending.has(conv),
    pending: (conv, uid) => pending.member(conv, uid),
    pendingIn: (conv) => pending.membersIn(conv),
    settled: (q) => settled[q] ?? 0,
    room: () => (pending.size() < pendingMax ? undefined : flush()),
    put,
    flush,
    async close() {
      clearInterval(timer);
      await flush().catch(foldFailed);
    },
  };
}

async function writeAll(
  { members, infos, annotations, log }: ProjectedStore,
  items: readonly Pending[],
  pass: Pass,
): Promise<void> {
  const changed = items.filter((item) => item.member !== undefined) as (Pending & { member: Member })[];
  const named = items.filter((item) => item.info !== undefined) as (Pending & { info: ConversationInfo })[];
  const annotated = items.flatMap((item) => item.annotations ?? []);
  // Copies: a member may change again while it is on its way, and is then still pending.
  const documents = changed.map(({ member }) => ({ key: memberKey(member.conv, member.uid), doc: copyMember(member) }));
  const [stored] = await Promise.all([
    putForward(members, documents, laterMember),
    putForward(
      infos,
      named.map(({ info }) => ({ key: info.conv, doc: info })),
      laterInfo,
    ),
    putAnnotations({ annotations, log }, annotated, pass),
  ]);
  // Another holder may have known of a receipt that this one did not.
  for (const { member } of changed) advance(member, stored.get(memberKey(member.conv, member.uid)) ?? member);
}

// Of a recalled message the log keeps the place and nothing of what was said: emptied first, so that the document tells of it
// only when it is done.
async function putAnnotations(
  { annotations, log }: Pick<ProjectedStore, "annotations" | "log">,
  changed: readonly Annotations[],
  pass: Pass,
): Promise<void> {
  if (changed.length === 0) return;
  const emptied = changed
    .filter(({ recall }) => recall)
    .flatMap(({ conv, seq, edits }) => [[conv, seq] as const, ...edits.map((edit) => [conv, edit] as const)]);
  await Promise.all(emptied.map(([conv, seq]) => log.blank(conv, seq)));
  pass("before-annotations");
  const documents = changed.map((doc) => ({ key: annotationsKey(doc.conv, doc.seq), doc }));
  await putForward(annotations, documents, laterAnnotations);
}
