// Rules about one who blocks another: what is said while a block holds is refused and stored nowhere.
import type { Rule } from "./check.ts";
import type { Period, RunRecord, Said } from "./record.ts";

export const blockHolds: Rule = function* ({ blocking: { said, blocked, sender } }) {
  for (const one of during(said, blocked))
    if (one.answer === "stored") yield `${one.id} of ${sender} was acknowledged while it was blocked`;
};

export const blockEnds: Rule = function* ({ blocking: { said, open, sender } }) {
  for (const one of during(said, open))
    if (one.answer === "refused") yield `${one.id} of ${sender} was refused as blocked after the block had ended`;
};

/**
 * A broker that does not know whether a packet was taken hands it over again, and after the block it is taken. Until the
 * block ends nothing of what was refused is anywhere. Over a slow link a refusal may come when a later block holds.
 */
export const refusedNowhere: Rule = function* ({ blocking: { said, blocked, stored, live, owner } }) {
  for (const { id, answer, firstAt, answeredAt = 0 } of said) {
    const block = blocked.find(([from, to]) => from <= firstAt && answeredAt <= to);
    const cameAt = live.get(id) ?? Number.POSITIVE_INFINITY;
    if (answer === "refused" && block && cameAt < block[1])
      yield `${owner} got ${id}, which was refused as blocked, while the block held`;
    if (answer === "stored" && !stored.has(id)) yield `${owner} lacks ${id}, which was acknowledged`;
    if (answer === undefined) yield `${id} has no answer`;
  }
};

export const blocksAnswered: Rule = ({ blocking: { refused } }: RunRecord) => refused;

/** What was said and answered within one of the periods. */
function during(said: readonly Said[], periods: readonly Period[]): Said[] {
  return said.filter(
    ({ firstAt, answeredAt }) =>
      answeredAt !== undefined && periods.some(([from, to]) => from <= firstAt && answeredAt <= to),
  );
}
