// Rules about members who are removed and invited again: the log's own events say when they were members.
import type { MembershipEvent } from "@parley/protocol";
import type { Rule } from "./check.ts";
import { type Log, nameOf, same } from "./log.ts";
import type { Copy, Receiver, RunRecord } from "./record.ts";

type Stored = ReadonlyMap<number, Copy>;

/** From seq to seq, both included. */
type Stay = [joinSeq: number, leftSeq: number];

/** The messages of a conversation that a user who comes and goes may have. */
export function visibleTo(uid: string, stored: Stored): Map<number, Copy> {
  const stays = staysOf(uid, stored);
  return new Map([...stored].filter(([seq]) => stays.some(([from, to]) => from <= seq && seq <= to)));
}

function staysOf(uid: string, stored: Stored): Stay[] {
  const stays: Stay[] = [];
  for (const [seq, copy] of [...stored].sort(([one], [other]) => one - other)) {
    if (copy.type !== "event") continue;
    const { event, by, uids } = eventOf(copy);
    if (!uids.includes(uid) && !(event === "create" && by === uid)) continue;
    const gone = event === "remove" || event === "leave";
    const last = stays.at(-1);
    if (gone && last) last[1] = seq;
    else if (!gone) stays.push([seq, Number.POSITIVE_INFINITY]);
  }
  return stays;
}

function eventOf({ body }: Copy): MembershipEvent {
  return (JSON.parse(body) as { content: { data: MembershipEvent } }).content.data;
}

interface Passing {
  uid: string;
  conv: string;
  stored: Stored;
  visible: Stored;
}

export function* passingOf({ passing }: Pick<RunRecord, "passing">, log: Log): Generator<Passing> {
  for (const [conv, uids] of passing) {
    const stored = log.get(conv) ?? new Map();
    for (const uid of uids) yield { uid, conv, stored, visible: visibleTo(uid, stored) };
  }
}

export const nothingAfterRemoval: Rule = function* (record, log) {
  for (const one of passingOf(record, log)) {
    const { uid, conv } = one;
    for (const { device, got } of receiversOf(record, uid))
      yield* strange(one, `${device}, live`, [...(got.get(conv)?.values() ?? [])].flat());
    for (const { glimpses } of record.readers.filter((reader) => reader.uid === uid))
      for (const { messages } of glimpses.get(conv) ?? []) yield* strange(one, `${uid}, asking`, messages);
    for (const { device, shown } of record.screens.filter((screen) => screen.uid === uid))
      yield* strange(one, `${device}, on its screen`, shown.get(conv) ?? []);
  }
};

function* strange({ conv, visible }: Passing, who: string, copies: readonly Copy[]) {
  for (const copy of copies)
    if (!visible.has(copy.seq))
      yield `${who}: got ${nameOf(copy)} (${conv} ${copy.seq}), stored while it was no member`;
}

export const wholeStays: Rule = function* (record, log) {
  for (const one of passingOf(record, log))
    for (const { glimpses } of record.readers.filter((reader) => reader.uid === one.uid))
      for (const [index, { messages }] of (glimpses.get(one.conv) ?? []).entries())
        yield* lacking(one, `reading ${index + 1}`, messages);
};

function* lacking({ uid, conv, visible }: Passing, reading: string, messages: readonly Copy[]) {
  const bySeq = new Map(messages.map((copy) => [copy.seq, copy]));
  for (const [seq, copy] of visible) {
    const other = bySeq.get(seq);
    if (!other) yield `${uid}: ${reading} of ${conv} lacks ${seq} (${nameOf(copy)})`;
    else if (!same(copy, other)) yield `${uid}: ${reading} of ${conv} has ${nameOf(other)} as ${seq}`;
  }
}

/** What devices of members who came and went lack live. */
export function* missedLive(record: RunRecord, log: Log): Generator<string> {
  for (const { uid, conv, visible } of passingOf(record, log))
    for (const { device, got } of receiversOf(record, uid))
      for (const [seq, copy] of visible)
        if (copy.type !== "event" && !got.get(conv)?.has(seq))
          yield `${device} never got ${conv} ${seq} (${nameOf(copy)})`;
}

function receiversOf({ receivers }: RunRecord, uid: string): readonly Receiver[] {
  return receivers.filter((receiver) => receiver.uid === uid);
}

export const changesAnswered: Rule = ({ refusedChanges }) => refusedChanges;
