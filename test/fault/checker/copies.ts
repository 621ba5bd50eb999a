// Rules about copies: everybody has the same messages in the same places, by history, by sync and live.
import type { Rule } from "./check.ts";
import { nameOf, same } from "./log.ts";
import type { View } from "./record.ts";
import { missedLive } from "./stays.ts";

export const agree: Rule = function* ({ readers, members }, log) {
  for (const [conv, uids] of members)
    for (const uid of uids) {
      const view = readers.find((reader) => reader.uid === uid)?.views.get(conv);
      const stored = log.get(conv);
      if (!stored) continue;
      if (!view) yield `${uid} is a member of ${conv} and cannot read it`;
      else yield* differences(`${uid}, ${conv}`, view, stored);
    }
};

function* differences(who: string, view: View, stored: ReadonlyMap<number, View["messages"][number]>) {
  const seqs = new Set(view.messages.map(({ seq }) => seq));
  for (const seq of stored.keys())
    if (seq >= view.firstSeq && !seqs.has(seq)) yield `${who}: seq ${seq} is missing, another member has it`;
  for (const [index, copy] of view.messages.entries()) {
    const other = stored.get(copy.seq);
    if (other && !same(copy, other)) yield `${who}: seq ${copy.seq} is ${nameOf(copy)}, for others ${nameOf(other)}`;
    const before = view.messages[index - 1];
    if (before && before.seq >= copy.seq) yield `${who}: seq ${copy.seq} comes behind ${before.seq}`;
  }
  const last = Math.max(0, ...stored.keys());
  if (view.lastSeq !== last) yield `${who}: lastSeq is ${view.lastSeq}, the last message has seq ${last}`;
}

export const withoutGaps: Rule = function* (_record, log) {
  for (const [conv, stored] of log) {
    const seqs = [...stored.keys()].sort((a, b) => a - b);
    for (const [index, seq] of seqs.entries())
      if (seq !== index + 1) {
        yield `${conv}: ${seq} stands where ${index + 1} should`;
        break;
      }
  }
};

export const synced: Rule = function* ({ readers }) {
  for (const { uid, views, synced: got } of readers)
    for (const [conv, view] of views) {
      const stored = new Map(view.messages.map((copy) => [copy.seq, copy]));
      const part = got.get(conv);
      if (!part && stored.size > 0) yield `${uid}: sync leaves ${conv} out`;
      else if (part) yield* differences(`${uid}, sync of ${conv}`, part, stored);
    }
};

export const oneOrder: Rule = function* ({ receivers }, log) {
  for (const { device, got } of receivers)
    for (const [conv, bySeq] of got)
      for (const [seq, copies] of bySeq)
        for (const copy of copies) {
          const stored = log.get(conv)?.get(seq);
          if (!stored) yield `${device} got ${nameOf(copy)} as ${conv} ${seq}, which is not stored`;
          else if (!same(stored, copy))
            yield `${device} got ${nameOf(copy)} as ${conv} ${seq}, stored is ${nameOf(stored)}`;
        }
};

export const receivedLive: Rule = function* (record, log) {
  const { receivers, members, liveComplete } = record;
  if (!liveComplete) return;
  yield* missedLive(record, log);
  for (const { device, uid, got } of receivers)
    for (const [conv, stored] of log) {
      if (!members.get(conv)?.includes(uid)) continue;
      for (const [seq, copy] of stored)
        if (copy.type !== "event" && !got.get(conv)?.has(seq))
          yield `${device} never got ${conv} ${seq} (${nameOf(copy)})`;
    }
};
