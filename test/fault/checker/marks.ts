// Rules about receipts and unread, counted here anew from the messages themselves.
import { uncountedTypes } from "@parley/protocol";
import type { Rule } from "./check.ts";
import type { View } from "./record.ts";

export const unreadExact: Rule = function* ({ readers }) {
  for (const { uid, views, listed } of readers)
    for (const [conv, view] of views) {
      const row = listed.get(conv);
      if (!row) {
        yield `${uid}: conversations.list leaves ${conv} out`;
        continue;
      }
      const expected = unreadOf(uid, view, row.readSeq);
      if (row.unread !== expected)
        yield `${uid}, ${conv}: unread is ${row.unread}, counted ${expected} (read ${row.readSeq})`;
      if (row.lastSeq !== view.lastSeq)
        yield `${uid}, ${conv}: lastSeq is ${row.lastSeq} in the list, ${view.lastSeq} in history`;
    }
};

function unreadOf(uid: string, { messages, firstSeq }: View, readSeq: number): number {
  const counted = messages.filter(({ type }) => !uncountedTypes.has(type));
  const lastSent = counted.findLast(({ from }) => from === uid)?.seq ?? 0;
  const seen = Math.max(firstSeq - 1, readSeq, lastSent);
  return counted.filter(({ seq, from }) => seq > seen && from !== uid).length;
}

export const marksForward: Rule = function* ({ readers }) {
  for (const { uid, listed, marks } of readers)
    for (const [conv, { asked, told }] of marks) {
      const row = listed.get(conv);
      if (!row) continue;
      if (row.readSeq < told) yield `${uid}, ${conv}: read is ${row.readSeq}, a receipt had said ${told}`;
      if (row.readSeq > asked) yield `${uid}, ${conv}: read is ${row.readSeq}, asked for were ${asked} at most`;
      if (row.readSeq > row.lastSeq) yield `${uid}, ${conv}: read is ${row.readSeq}, the last message ${row.lastSeq}`;
    }
};
