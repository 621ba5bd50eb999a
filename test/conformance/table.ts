// The outcome as a table, for the terminal and for docs/conformance.md.
import type { Row } from "./run.ts";

const head = ["about", "case", "holds", "what was seen"];

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ about, holds, outcome, seen }) => [about, holds, outcome, seen.replaceAll("|", "\\|")]);
  return [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** How many of each. */
export function sumOf(rows: readonly Row[]): string {
  const count = (outcome: Row["outcome"]) => rows.filter((row) => row.outcome === outcome).length;
  return `${count("yes")} hold, ${count("no")} do not, ${count("left out")} were left out`;
}

const begin = "<!-- npm run conformance: begin -->";
const end = "<!-- npm run conformance: end -->";

/** The document with its generated part written anew. */
export function documentOf(old: string, rows: readonly Row[]): string {
  const [before] = old.split(begin);
  const [, after] = old.split(end);
  return `${before}${begin}\n\n${tableOf(rows)}\n\n${end}${after ?? "\n"}`;
}
