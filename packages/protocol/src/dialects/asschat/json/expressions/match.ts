// Does a query hold for something of which perhaps not all is known yet?
import type { Clause, Value } from "./query.ts";

/** Property → its value or values; one that is absent is not known yet. */
export type Known = Readonly<Record<string, Value | readonly Value[]>>;

/** Undefined: that depends on what is not known. */
export function matches(clause: Clause, known: Known): boolean | undefined {
  if (clause.of !== "property") {
    const decisive = clause.of === "or";
    const found = clause.clauses.map((one) => matches(one, known));
    if (found.includes(decisive)) return decisive;
    return found.includes(undefined) ? undefined : !decisive;
  }
  const value = Object.hasOwn(known, clause.property) ? known[clause.property] : undefined;
  if (value === undefined) return undefined;
  const holds = [value].flat().some((one) => clause.holds(one));
  return clause.isNegated ? !holds : holds;
}
