// Folds a stretch of the log that no commit here told of: what the holder before left, or a commit whose answer was lost.

import type { LogEntry } from "@parley/store";
import { type Annotations, annotationsKey, noAnnotations } from "../keep/annotations.ts";
import { type ConversationInfo, findAll, type HistoryStore, type Member, memberKey } from "../keep/store.ts";
import { advance, copyMember } from "../project/advance.ts";
import type { Changes } from "../project/pending.ts";
import type { Projection } from "../project/projection.ts";
import { aboutOf, annotate } from "./annotate.ts";
import { infoOf } from "./fold-entry.ts";
import { type ConversationTail, foldTail, scratch, touchesAll, uidsOfTail } from "./tail.ts";
import type { Tails } from "./tails.ts";

export interface CatchUpParts {
  store: Pick<HistoryStore, "members" | "annotations">;
  projection: Projection;
  tails: Tails;
}

/** What of the stretch must be in the store before anything else is: memberships, names and what was said about messages; and who is to be told. */
export interface CaughtUp extends Changes {
  members: Member[];
  infos: ConversationInfo[];
  annotations: Annotations[];
  /** the last membership event of each conversation */
  events: { conv: string; memberSeq: number }[];
}

const keysMax = 1_000;

/** The entries above `from` up to `to`, into what is pending. */
export async function catchUp(parts: CatchUpParts, q: number, from: number, to: number): Promise<CaughtUp> {
  const caught: CaughtUp = { members: [], infos: [], annotations: [], events: [] };
  if (to <= from) return caught;
  const { conversations } = await parts.tails.read(q, from, to);
  let some: [string, ConversationTail][] = [];
  let keys = 0;
  for (const [conv, tail] of conversations) {
    some.push([conv, tail]);
    keys += uidsOfTail(conv, tail).size + tail.abouts.length;
    if (keys < keysMax) continue;
    await foldSome(parts, some, caught);
    some = [];
    keys = 0;
  }
  await foldSome(parts, some, caught);
  return caught;
}

async function foldSome(
  { store, projection }: CatchUpParts,
  some: readonly [string, ConversationTail][],
  caught: CaughtUp,
): Promise<void> {
  const pendingBefore = new Map(some.map(([conv]) => [conv, projection.pendingIn(conv)]));
  const keys = some.flatMap(([conv, tail]) => [...uidsOfTail(conv, tail)].map((uid) => memberKey(conv, uid)));
  const [documents] = await Promise.all([store.members.getMany(keys), annotateSome(store, projection, some, caught)]);
  for (const [conv, tail] of some) {
    const folded = scratch(conv);
    const known = touchesAll(tail)
      ? await findAll(store.members, "by_conv", conv)
      : [...uidsOfTail(conv, tail)].flatMap((uid) => documents.get(memberKey(conv, uid))?.doc ?? []);
    for (const member of known) folded.members.set(member.uid, copyMember(member));
    // What is pending stays the same object: it is what will be put.
    for (const member of pendingBefore.get(conv) ?? []) {
      const document = folded.members.get(member.uid);
      if (document) advance(member, document);
      folded.members.set(member.uid, member);
    }
    const { structural, sent } = foldTail(tail, folded);
    projection.touch(structural);
    projection.touch(sent);
    caught.members.push(...structural);
    const memberSeq = tail.events.at(-1)?.memberSeq;
    if (memberSeq !== undefined) caught.events.push({ conv, memberSeq });
    const { nameSeq, size, pins, recalled, mentionsOfAll, expiry, hasUnreadTimers } = folded;
    const isKept = nameSeq > 0 || size || pins || expiry || hasUnreadTimers;
    if (!isKept && recalled.length === 0 && mentionsOfAll.length === 0) continue;
    const info = infoOf(folded);
    projection.touchInfo(info);
    caught.infos.push(info);
  }
}

async function annotateSome(
  store: CatchUpParts["store"],
  projection: Projection,
  some: readonly [string, ConversationTail][],
  caught: CaughtUp,
): Promise<void> {
  const abouts = some.flatMap(([, tail]) => tail.abouts);
  if (abouts.length === 0) return;
  const keyOf = (entry: LogEntry) => annotationsKey(entry.conv, aboutOf(entry)?.seq ?? 0);
  const documents = await store.annotations.getMany([...new Set(abouts.map(keyOf))]);
  const folded = new Map<string, Annotations>();
  for (const entry of abouts) {
    const about = aboutOf(entry);
    if (!about) continue;
    const key = keyOf(entry);
    const known = folded.get(key) ?? documents.get(key)?.doc ?? noAnnotations(entry.conv, about.seq);
    folded.set(key, annotate(known, entry, about));
  }
  for (const annotations of folded.values()) projection.touchAnnotations(annotations);
  caught.annotations.push(...folded.values());
}
