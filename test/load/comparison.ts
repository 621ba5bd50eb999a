// Two builds measured by turns: the middle of what each had, and the middle of how they compare.
import type { Section } from "./scenario.ts";

/** What one run of the bench wrote as JSON: the sections of each scenario. */
export type Found = Partial<Record<string, Section[]>>;

/** One run of either build, right after the other. */
export interface Round {
  now: Found;
  before: Found;
}

export interface Compared {
  what: string;
  /** "" for numbers of tables */
  unit: string;
  now: number;
  before: number;
  /** the middle one of `ratios` */
  middle: number;
  /** now by before, round by round */
  ratios: readonly number[];
}

/** Figures and the further numbers of tables that every run of both builds has; what only one has is left out. */
export function compare(rounds: readonly Round[]): { figures: Compared[]; numbers: Compared[] } {
  return { figures: compareBy(rounds, figuresOf), numbers: compareBy(rounds, numbersOf) };
}

/** How much worse than before, 0.1 for a tenth; less than nothing: it is better. Of a rate more is better, of all else less. */
export function worseBy({ unit, middle }: Pick<Compared, "unit" | "middle">): number {
  return unit.endsWith("/s") ? 1 / middle - 1 : middle - 1;
}

interface Measured {
  value: number;
  unit: string;
}

function compareBy(rounds: readonly Round[], read: (found: Found) => Map<string, Measured>): Compared[] {
  const measured = rounds.map(({ now, before }) => ({ now: read(now), before: read(before) }));
  const names = [...(measured[0]?.now.keys() ?? [])];
  return names.flatMap((what) => {
    const pairs = measured.flatMap(({ now, before }) => {
      const [mine, theirs] = [now.get(what), before.get(what)];
      return mine && theirs ? [{ now: mine.value, before: theirs.value, unit: mine.unit }] : [];
    });
    const [first] = pairs;
    if (!first || pairs.length < rounds.length) return [];
    const ratios = pairs.map(({ now, before }) => now / before);
    const [now, before] = [middleOf(pairs.map((pair) => pair.now)), middleOf(pairs.map((pair) => pair.before))];
    return [{ what, unit: first.unit, now, before, middle: middleOf(ratios), ratios }];
  });
}

function figuresOf(found: Found): Map<string, Measured> {
  return new Map(
    sectionsOf(found).flatMap(({ title, figures }) =>
      figures.map(({ what, value, unit }) => [`${title}: ${what}`, { value, unit }] as const),
    ),
  );
}

function numbersOf(found: Found): Map<string, Measured> {
  return new Map(
    sectionsOf(found).flatMap(({ title, tables = [] }) =>
      tables.flatMap(({ head, rows }) =>
        rows.flatMap((row) =>
          row.flatMap((value, column) => {
            const name = [title, row[0], head[column]].join(": ");
            return typeof value === "number" && column > 0 ? [[name, { value, unit: "" }] as const] : [];
          }),
        ),
      ),
    ),
  );
}

function sectionsOf(found: Found): Section[] {
  return Object.values(found).flatMap((sections) => sections ?? []);
}

/** The middle of an odd count; the mean of the two in the middle of an even one. */
export function middleOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 1 ? half : half - 1], sorted[half]];
  return (low + high) / 2;
}
