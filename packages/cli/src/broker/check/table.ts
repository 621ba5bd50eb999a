// The outcome of cases as a table, for the terminal and for documents.
import type { Row } from "./run-cases.ts";

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
