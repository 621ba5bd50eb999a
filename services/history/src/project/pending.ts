// What history knows of members and names and the store may not have yet: pure bookkeeping, no I/O.
import { conversationPartition } from "@parley/protocol/partition";
import { type Annotations, annotationsKey, laterAnnotations } from "../keep/annotations.ts";
import type { ConversationInfo, Member } from "../keep/store.ts";
import { advance, laterInfo } from "./advance.ts";

/** A member, a conversation's name, or what was said about a message, on its way to the store. */
export interface Pending {
  conv: string;
  member?: Member;
  info?: ConversationInfo;
  annotations?: Annotations;
  /** changed since it was last sent */
  isDirty: boolean;
  /** how many writes of it are under way */
  writes: number;
}

export interface Changes {
  members: Iterable<Member>;
  infos: Iterable<ConversationInfo>;
  annotations?: Iterable<Annotations>;
}

export interface PendingSet {
  touch(member: Member): Pending;
  touchInfo(info: ConversationInfo): Pending;
  touchAnnotations(annotations: Annotations): Pending;
  member(conv: string, uid: string): Member | undefined;
  membersIn(conv: string): Member[];
  has(conv: string): boolean;
  /** how many items there are */
  size(): number;
  /** The items of these changes; one that is in the store already has none. */
  of(changes: Changes): Pending[];
  /** What changed since it was sent. */
  dirty(q?: number): Pending[];
  begin(item: Pending): void;
  failed(item: Pending): void;
  /** The store has what was sent. True if the item is forgotten now: nothing newer is left of it. */
  done(item: Pending): boolean;
}

export function createPending(): PendingSet {
  const members = new Map<string, Map<string, Pending>>();
  const infos = new Map<string, Pending>();
  const annotated = new Map<string, Pending>();
  let size = 0;

  function touch(member: Member): Pending {
    const inConv = members.get(member.conv) ?? new Map<string, Pending>();
    if (inConv.size === 0) members.set(member.conv, inConv);
    const known = inConv.get(member.uid);
    if (!known) {
      const item: Pending = { conv: member.conv, member, isDirty: true, writes: 0 };
      inConv.set(member.uid, item);
      size += 1;
      return item;
    }
    if (known.member !== member) {
      // The partition was read anew: from now on that object is the one that changes.
      if (known.member) advance(member, known.member);
      known.member = member;
    }
    known.isDirty = true;
    return known;
  }

  function touchInfo(info: ConversationInfo): Pending {
    if (!infos.has(info.conv)) size += 1;
    return touchDocument(infos, info.conv, { conv: info.conv, info }, (item) => {
      if (item.info && item.info !== info) item.info = laterInfo(item.info, info);
    });
  }

  function touchAnnotations(annotations: Annotations): Pending {
    const key = annotationsKey(annotations.conv, annotations.seq);
    if (!annotated.has(key)) size += 1;
    return touchDocument(annotated, key, { conv: annotations.conv, annotations }, (item) => {
      if (item.annotations) item.annotations = laterAnnotations(item.annotations, annotations);
    });
  }

  function forget({ conv, member, annotations }: Pending): void {
    size -= 1;
    if (annotations) {
      annotated.delete(annotationsKey(conv, annotations.seq));
      return;
    }
    if (!member) {
      infos.delete(conv);
      return;
    }
    const inConv = members.get(conv);
    inConv?.delete(member.uid);
    if (inConv?.size === 0) members.delete(conv);
  }

  function done(item: Pending): boolean {
    item.writes -= 1;
    if (item.isDirty || item.writes > 0) return false;
    forget(item);
    return true;
  }

  return {
    touch,
    touchInfo,
    touchAnnotations,
    dirty: (q) => dirtyOf([...infos.values(), ...annotated.values()], members, q),
    done,
    member: (conv, uid) => members.get(conv)?.get(uid)?.member,
    membersIn: (conv) => [...(members.get(conv)?.values() ?? [])].map(({ member }) => member as Member),
    size: () => size,
    has: (conv) => members.has(conv) || infos.has(conv),
    of: (changes) => [
      ...[...changes.members].flatMap(({ conv, uid }) => members.get(conv)?.get(uid) ?? []),
      ...[...changes.infos].flatMap(({ conv }) => infos.get(conv) ?? []),
      ...[...(changes.annotations ?? [])].flatMap(({ conv, seq }) => annotated.get(annotationsKey(conv, seq)) ?? []),
    ],
    begin,
    failed,
  };
}

function touchDocument(
  documents: Map<string, Pending>,
  key: string,
  first: Pick<Pending, "conv" | "info" | "annotations">,
  merge: (item: Pending) => void,
): Pending {
  const item: Pending = documents.get(key) ?? { ...first, isDirty: true, writes: 0 };
  merge(item);
  item.isDirty = true;
  documents.set(key, item);
  return item;
}

function dirtyOf(
  documents: readonly Pending[],
  members: ReadonlyMap<string, ReadonlyMap<string, Pending>>,
  q: number | undefined,
): Pending[] {
  const isAsked = (conv: string) => q === undefined || conversationPartition(conv) === q;
  const found = [...documents];
  for (const [conv, inConv] of members) if (isAsked(conv)) found.push(...inConv.values());
  return found.filter(({ isDirty, conv }) => isDirty && isAsked(conv));
}

function begin(item: Pending): void {
  item.isDirty = false;
  item.writes += 1;
}

function failed(item: Pending): void {
  item.isDirty = true;
  item.writes -= 1;
}
