// Whether two spellings of a setting mean the same: "60s" and "1m", "1MB" and 1048576.
import type { SettingValue } from "../settings/setting.ts";

const times: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const sizes: Record<string, number> = { b: 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 };

/** Of an object what is wanted must be there; what else is there is the broker's own. */
export function isSame(wanted: SettingValue, found: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(found) && wanted.length === found.length && wanted.every((one, at) => isSame(one, found[at]));
  if (typeof wanted === "object") {
    if (typeof found !== "object" || found === null) return false;
    return Object.entries(wanted).every(([name, value]) => isSame(value, (found as Record<string, unknown>)[name]));
  }
  return plain(wanted) === plain(found);
}

/** A number wherever it is one: milliseconds, bytes, or so many a second. */
function plain(value: unknown): string {
  const text = String(value).trim();
  const rate = /^([\d.]+)\s*([a-z]*)\/(\d*)(ms|s|m|h|d)$/i.exec(text);
  if (rate) {
    const [, count = "", unit = "", every = "", span = "s"] = rate;
    const amount = Number(count) * (sizes[unit.toLowerCase()] ?? 1);
    return `${(amount * 1_000) / (Number(every || 1) * (times[span] ?? 1_000))} a second`;
  }
  if (/^(\d+(ms|[smhdw]))+$/i.test(text)) {
    const parts = text.toLowerCase().matchAll(/(\d+)(ms|[smhdw])/g);
    return `${[...parts].reduce((sum, [, count, unit = ""]) => sum + Number(count) * (times[unit] ?? 0), 0)} ms`;
  }
  const size = /^([\d.]+)\s*(b|kb|mb|gb)$/i.exec(text);
  if (size) return String(Number(size[1]) * (sizes[(size[2] ?? "").toLowerCase()] ?? 1));
  return text;
}
