// The outcome as a part of docs/conformance.md.
import type { Row } from "@parley/cli/broker-check/run-cases";
import { tableOf } from "@parley/cli/broker-check/table";

const begin = "<!-- npm run conformance: begin -->";
const end = "<!-- npm run conformance: end -->";

/** The document with its generated part written anew. */
export function documentOf(old: string, rows: readonly Row[]): string {
  const [before] = old.split(begin);
  const [, after] = old.split(end);
  return `${before}${begin}\n\n${tableOf(rows)}\n\n${end}${after ?? "\n"}`;
}
