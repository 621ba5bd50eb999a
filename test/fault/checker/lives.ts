// Rules about messages that disappear: to be read until their time, nowhere behind it, and nothing else goes with them.
import type { Rule } from "./check.ts";
import { overlaps } from "./log.ts";
import type { Glimpse, Life, Period, RunRecord, Said, Vanishing } from "./record.ts";

/** Of a run without such messages. */
export const noVanishing: Vanishing = {
  said: [],
  lives: new Map(),
  reads: [],
  glimpses: [],
  last: [],
  recalled: new Set(),
  cached: new Set(),
};

// Our clock's and the servers' is one; it is read at different moments.
const slackMs = 300;

export const readUntilItsTime: Rule = function* (record) {
  const { glimpses } = record.vanishing;
  for (const { one, seq, endsFrom } of told(record))
    for (const glimpse of glimpses)
      if (isShownAll(glimpse, one, seq) && glimpse.answeredAt < endsFrom - slackMs && !isSkewed(glimpse, record.skews))
        if (!glimpse.ids.has(one.id)) yield `${one.id} (${seq}): ${glimpse.what} has it no more before its time`;
};

export const nowhereBehindIt: Rule = function* (record) {
  const { vanishing, skews } = record;
  for (const { one, seq, endsBy } of told(record)) {
    for (const glimpse of vanishing.glimpses)
      if (glimpse.askedAt > endsBy + slackMs && glimpse.ids.has(one.id) && !isSkewed(glimpse, skews))
        yield `${one.id} (${seq}): ${glimpse.what} still has it when its time is over`;
    if (vanishing.cached.has(one.id)) yield `${one.id} (${seq}): a device still has it when its time is over`;
  }
};

export const endedInTheEnd: Rule = function* ({ vanishing, skews, liveComplete }) {
  const { said, lives, last, recalled } = vanishing;
  const bySeq = new Map(last.map((one) => [one.seq, one]));
  for (const one of said) {
    const [life, place] = [lives.get(one.id), one.place];
    if (!life || !place || !isToEnd(one, life, vanishing, skews)) continue;
    const known = bySeq.get(place.seq);
    if (!known?.ended || known.text !== undefined) yield `${one.id} (${place.seq}) is not ended, long behind its time`;
    if (liveComplete && !recalled.has(place.seq)) yield `the end of ${one.id} (${place.seq}) never came live`;
  }
};

// A clock that is ahead when a time is set puts it an hour off.
function isToEnd(one: Said, { from }: Life, { reads }: Vanishing, skews: RunRecord["skews"]): boolean {
  if (from === "sent") return isItsClockRight(one);
  return reads.some(({ seq }) => seq >= (one.place?.seq ?? 0)) && skews.every(([, to]) => to < one.firstAt);
}

export const nothingElseGoes: Rule = function* ({ vanishing: { said, lives, last, glimpses } }) {
  for (const [index, { seq }] of last.entries())
    if (seq !== index + 1) {
      yield `${seq} stands where ${index + 1} should`;
      break;
    }
  const bySeq = new Map(last.map((one) => [one.seq, one]));
  for (const one of said) {
    if (one.answer === undefined) yield `${one.id} has no answer`;
    if (!one.place || lives.has(one.id)) continue;
    const { seq } = one.place;
    const known = bySeq.get(seq);
    if (known?.id !== one.id || known.text !== one.id) yield `${one.id} is to stay, and does not stand as ${seq}`;
    for (const glimpse of glimpses)
      if (isShownAll(glimpse, one, seq) && !glimpse.ids.has(one.id))
        yield `${one.id} (${seq}) is missing in ${glimpse.what}`;
  }
};

interface Told {
  one: Said;
  seq: number;
  /** it may be gone from here on, and must be from there on */
  endsFrom: number;
  endsBy: number;
}

/** Messages whose time is known, ms of performance.now(); without those that lived while a clock was wrong. */
function* told({ vanishing, skews }: Pick<RunRecord, "vanishing" | "skews">): Generator<Told> {
  for (const one of vanishing.said) {
    const life = vanishing.lives.get(one.id);
    if (!life || !one.place || one.answeredAt === undefined) continue;
    const { seq, ts } = one.place;
    const storedAt = ts - performance.timeOrigin;
    const ends = life.from === "sent" ? { endsFrom: storedAt, endsBy: storedAt } : readAt(vanishing, seq);
    const [endsFrom, endsBy] = [ends.endsFrom + life.seconds * 1_000, ends.endsBy + life.seconds * 1_000];
    const isWhileSkewed = skews.some((skew) => overlaps({ firstAt: one.firstAt, answeredAt: endsBy }, skew));
    if (isItsClockRight(one) && !isWhileSkewed) yield { one, seq, endsFrom, endsBy };
  }
}

function isItsClockRight({ firstAt, answeredAt = firstAt, place }: Said): boolean {
  const storedAt = (place?.ts ?? 0) - performance.timeOrigin;
  return storedAt > firstAt - slackMs && storedAt < answeredAt + slackMs;
}

// A receipt is taken when it comes: at some time behind its first publish, which only the end of the run tells.
function readAt({ reads }: Vanishing, seq: number): { endsFrom: number; endsBy: number } {
  const first = reads.find((read) => read.seq >= seq);
  return { endsFrom: first?.at ?? Number.POSITIVE_INFINITY, endsBy: Number.POSITIVE_INFINITY };
}

function isShownAll({ from, askedAt }: Glimpse, { answeredAt = askedAt }: Said, seq: number): boolean {
  return from !== undefined && seq >= from && answeredAt < askedAt;
}

function isSkewed({ askedAt, answeredAt }: Glimpse, skews: readonly Period[]): boolean {
  return skews.some((skew) => overlaps({ firstAt: askedAt, answeredAt }, skew));
}
