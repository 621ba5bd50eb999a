// The filters of a device, read once: which topics they match, as section 4.7 of MQTT says; inside a tree `#` hears `$…` too.
import { isNativeTopic } from "@parley/protocol";

export interface Filters {
  /** Topics that are heard by their own name. */
  readonly exact: ReadonlySet<string>;
  /** Has one of them a wildcard? */
  readonly hasWildcard: boolean;
  match(topic: string): boolean;
  /** Does one match that asks for native topics, and not only because it asks for everything? */
  matchNative(topic: string): boolean;
  /** Is the device told on this topic? On a native one where it asks for native ones. */
  hears(topic: string): boolean;
}

/** `$share/{group}/{filter}` is the filter. */
export function readFilters(filters: readonly string[]): Filters {
  const all = filters.map((filter) => filter.replace(/^\$share\/[^/]+\/(?=.)/s, ""));
  const native = all.filter(isNativeTopic);
  const { exact, hasWildcard, match } = createMatcher(all);
  const matchNative = native.length > 0 ? createMatcher(native).match : matchNothing;
  const hears = (topic: string) => (isNativeTopic(topic) ? matchNative(topic) : match(topic));
  return { exact, hasWildcard, match, matchNative, hears };
}

const matchNothing = () => false;

function createMatcher(filters: readonly string[]): Pick<Filters, "exact" | "hasWildcard" | "match"> {
  const isWild = (filter: string) => /[+#]/.test(filter);
  const exact = new Set(filters.filter((filter) => !isWild(filter)));
  const wild = filters.filter(isWild).map((filter) => filter.split("/"));
  const hearsAll = wild.some(([first]) => first === "#");
  const match = (topic: string) => {
    if (hearsAll || exact.has(topic)) return true;
    if (wild.length === 0) return false;
    const levels = topic.split("/");
    return wild.some((filter) => matchesLevels(filter, levels));
  };
  return { exact, hasWildcard: wild.length > 0, match };
}

function matchesLevels(filter: readonly string[], levels: readonly string[]): boolean {
  for (const [at, level] of filter.entries()) {
    if (level === "#") return true;
    if (at >= levels.length || (level !== "+" && level !== levels[at])) return false;
  }
  return filter.length === levels.length;
}
