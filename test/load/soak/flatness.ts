// Does memory grow? A slope that single high points do not move, and how sure it is, past the start of the run.

export interface Point {
  /** seconds */
  at: number;
  value: number;
}

export interface Trend {
  /** of the points looked at */
  mean: number;
  min: number;
  max: number;
  perHour: number;
  /** what the slope comes to over the points looked at, and at least (one-sided, 97.5 %) */
  growth: number;
  growthAtLeast: number;
}

/** What may be added over the points looked at: MiB, or a share of the mean; and to what collections leave, MiB. */
export const allowance = { mib: 8, share: 0.05, floorMib: 16 };

/** The first third is the start: caches fill, and V8 takes the heap it wants. */
export function pastStart<P extends { at: number }>(points: readonly P[]): P[] {
  const end = points.at(-1)?.at ?? 0;
  return points.filter(({ at }) => at >= end / 3);
}

/** Over medians of a minute each, so that neighbours tell nearly independent things. */
export function trendOf(points: readonly Point[]): Trend {
  const values = points.map(({ value }) => value);
  const { slope, atLeast } = theilSen(byBlock(points, 60, median));
  const seconds = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0);
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length),
    min: Math.min(...values),
    max: Math.max(...values),
    perHour: slope * 3_600,
    growth: slope * seconds,
    growthAtLeast: atLeast * seconds,
  };
}

/** What stays after collections: the lowest of every five minutes. */
export function floorTrend(points: readonly Point[]): Trend {
  return trendOf(byBlock(points, 300, (values) => Math.min(...values)));
}

/** Surely more than it may: V8's saw-tooth alone moves a slope by some MiB. */
export function growsSurely({ growthAtLeast, mean }: Trend): boolean {
  return growthAtLeast > Math.max(allowance.mib, allowance.share * mean);
}

export function floorGrows({ growth }: Trend): boolean {
  return growth > allowance.floorMib;
}

/**
 * The median of the slopes between all pairs (Theil 1950, Sen 1968): 29 % of the points may be anything. `atLeast` is the
 * lower end of its 95 % interval by Kendall's statistic.
 */
export function theilSen(points: readonly Point[]): { slope: number; atLeast: number } {
  const slopes: number[] = [];
  for (const [index, from] of points.entries())
    for (const to of points.slice(index + 1))
      if (to.at > from.at) slopes.push((to.value - from.value) / (to.at - from.at));
  slopes.sort((a, b) => a - b);
  const n = points.length;
  const spread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const lower = Math.max(0, Math.floor((slopes.length - spread) / 2));
  return { slope: median(slopes), atLeast: slopes[lower] ?? 0 };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function byBlock(points: readonly Point[], seconds: number, one: (values: readonly number[]) => number): Point[] {
  const first = points[0]?.at ?? 0;
  const blocks = Map.groupBy(points, ({ at }) => Math.floor((at - first) / seconds));
  return [...blocks].map(([block, members]) => ({
    at: first + (block + 0.5) * seconds,
    value: one(members.map(({ value }) => value)),
  }));
}
