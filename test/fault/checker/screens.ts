// Rules about what the SDK shows: each message once, in seq order, all of them in the end.
import type { Rule } from "./check.ts";
import { type Log, nameOf, same } from "./log.ts";
import type { Copy, RunRecord } from "./record.ts";
import { visibleTo } from "./stays.ts";

export const screensOnceInOrder: Rule = function* ({ screens }, log) {
  for (const { device, shown } of screens)
    for (const [conv, copies] of shown) {
      let last = 0;
      for (const copy of copies) {
        const stored = log.get(conv)?.get(copy.seq);
        if (!stored) yield `${device} showed ${nameOf(copy)} as ${conv} ${copy.seq}, which is not stored`;
        else if (!same(stored, copy))
          yield `${device} showed ${nameOf(copy)} as ${conv} ${copy.seq}, stored is ${nameOf(stored)}`;
        if (copy.seq <= last) yield `${device} showed ${conv} ${copy.seq} behind ${last}`;
        last = copy.seq;
      }
    }
};

export const screensComplete: Rule = function* (record, log) {
  for (const { uid, device, shown } of record.screens)
    for (const [conv, expected] of conversationsOf(uid, record, log)) {
      const seqs = new Set(shown.get(conv)?.map(({ seq }) => seq));
      for (const [seq, copy] of expected)
        if (!seqs.has(seq)) yield `${device} never showed ${conv} ${seq} (${nameOf(copy)})`;
    }
};

function* conversationsOf(
  uid: string,
  { members, passing }: RunRecord,
  log: Log,
): Generator<[conv: string, expected: ReadonlyMap<number, Copy>]> {
  for (const [conv, stored] of log) {
    if (members.get(conv)?.includes(uid)) yield [conv, stored];
    if (passing.get(conv)?.includes(uid)) yield [conv, visibleTo(uid, stored)];
  }
}
