// Does memory grow? A slope that single high points do not move, over the part of the run that is past its start.

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
  /** what the slope comes to over the points looked at */
  growth: number;
}

export interface Flatness extends Trend {
  flat: boolean;
}

/** Memory that grows less than this over the points looked at is flat: MiB, or a share of its mean. */
export const allowance = { mib: 8, share: 0.05 };

/** The first third is the start: caches fill, and V8 takes the heap it wants. */
export function pastStart<P extends { at: number }>(points: readonly P[]): P[] {
  const end = points.at(-1)?.at ?? 0;
  return points.filter(({ at }) => at >= end / 3);
}

export function judge(points: readonly Point[]): Flatness {
  const trend = trendOf(points);
  return { ...trend, flat: trend.growth <= Math.max(allowance.mib, allowance.share * trend.mean) };
}

export function trendOf(points: readonly Point[]): Trend {
  const values = points.map(({ value }) => value);
  const slope = theilSen(points);
  const seconds = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0);
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length),
    min: Math.min(...values),
    max: Math.max(...values),
    perHour: slope * 3_600,
    growth: slope * seconds,
  };
}

/** The median of the slopes between all pairs (Theil 1950, Sen 1968): 29 % of the points may be anything. */
export function theilSen(points: readonly Point[]): number {
  const slopes: number[] = [];
  for (const [index, from] of points.entries())
    for (const to of points.slice(index + 1))
      if (to.at > from.at) slopes.push((to.value - from.value) / (to.at - from.at));
  return median(slopes);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
