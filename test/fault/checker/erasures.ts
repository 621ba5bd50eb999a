// Rules about users whose accounts are erased: it is done in the end, nothing of theirs is left, and nothing else is touched.
import type { Rule } from "./check.ts";
import type { Erasing, Remains, Said } from "./record.ts";

/** Of a run without such users. */
export const noErasing: Erasing = { leavers: [], said: [], readings: [], answers: [], refused: [] };

export const erasuresDone: Rule = function* ({ erasing: { leavers, refused } }) {
  yield* refused;
  for (const { uid, removedAt, erasedAt } of leavers)
    if (removedAt === undefined) yield `the removal of ${uid} was never answered`;
    else if (erasedAt === undefined) yield `${uid} was removed and is not erased yet`;
};

export const nothingOfErased: Rule = function* ({ erasing: { leavers, answers } }) {
  for (const { what, text } of answers)
    for (const { uid, mark, erasedAt } of leavers)
      if (erasedAt !== undefined && text.includes(mark)) yield `${what} holds something of ${uid}, who is erased`;
};

export const silentOnceErased: Rule = function* ({ erasing: { leavers } }) {
  for (const { uid, said, removedAt = Number.POSITIVE_INFINITY } of leavers)
    for (const one of said)
      if (one.answer === "stored" && one.firstAt > removedAt)
        yield `${one.id} was acknowledged, and first sent when ${uid} was removed`;
};

export const placesStay: Rule = function* ({ erasing: { leavers, readings } }) {
  for (const { what, conv, messages } of readings) {
    for (const [index, { seq }] of messages.entries())
      if (seq !== index + 1) {
        yield `${what} of ${conv}: ${seq} stands where ${index + 1} should`;
        break;
      }
    const bySeq = new Map(messages.map((one) => [one.seq, one]));
    for (const { uid, said, erasedAt } of leavers)
      if (erasedAt !== undefined)
        for (const { id, seq } of placesIn(said, conv))
          if (!isEmptyPlace(bySeq.get(seq), uid))
            yield `${what} of ${conv}: ${seq} (${id}) is no empty place of ${uid}`;
  }
};

export const othersWhole: Rule = function* ({ erasing: { said, readings } }) {
  for (const { what, conv, messages } of readings) {
    const bySeq = new Map(messages.map((one) => [one.seq, one]));
    for (const { id, seq } of placesIn(said, conv)) {
      const known = bySeq.get(seq);
      if (known?.id !== id || known.text !== id)
        yield `${what} of ${conv}: ${id} does not stand as ${seq} as it was said`;
    }
  }
};

function isEmptyPlace(one: Remains | undefined, uid: string): boolean {
  return one?.from === uid && one.type === "erased" && one.id === `erased-${one.seq}` && one.text === undefined;
}

function placesIn(said: readonly Said[], conv: string): { id: string; seq: number }[] {
  return said.flatMap(({ id, place }) => (place?.conv === conv ? [{ id, seq: place.seq }] : []));
}
