// Times among the flags: when.
import { UsageError } from "./failure.ts";

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };

/** `30s`, `90m`, `2h` or `1d` → seconds; throws a UsageError that names the flag. */
export function readSeconds(flag: string, text: string): number {
  const [, count = "0", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = (Number(count) * (unitsMs[unit] ?? 0)) / 1_000;
  if (seconds > 0) return seconds;
  throw new UsageError(`${flag} ${text}: how long, such as 30s, 90m, 2h or 1d, is needed`);
}

/** `+90m` from `now` on, or a date with a time → unix ms; throws a UsageError that names the flag. */
export function readTime(flag: string, text: string, now: number = Date.now()): number {
  const [, count, unit = ""] = /^\+(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return now + Number(count) * (unitsMs[unit] ?? 0);
  const at = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new UsageError(`${flag} ${text}: a time such as 2030-01-31T18:00, or +30s, +90m, +2h, +1d is needed`);
}
