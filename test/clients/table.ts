// The outcome as a table, for the terminal and for docs/clients.md.
import type { StockClient } from "./catalogue.ts";
import type { Outcome } from "./days.ts";

/** Lost, doubled and given up are what no client may be. */
export function isWell({ lost, doubled, unacked, gaveUp }: Outcome): boolean {
  return lost === 0 && doubled === 0 && unacked === 0 && gaveUp === undefined;
}

const head = [
  "client",
  "MQTT",
  "messages",
  "lost",
  "doubled",
  "unacked",
  "given again",
  "back after the kill",
  "back after the restart",
];

export function tableOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => [
    outcome.client.library,
    outcome.client.version === 5 ? "5" : "3.1.1",
    `${outcome.said}`,
    `${outcome.lost}`,
    `${outcome.doubled}`,
    `${outcome.unacked}`,
    `${outcome.again}`,
    outcome.gaveUp ?? seconds(outcome.backAfterKillMs),
    outcome.gaveUp ?? seconds(outcome.backAfterRestartMs),
  ]);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export function settingsOf(clients: readonly StockClient[]): string {
  const rows = clients.map(({ library, settings }) => [library, settings]);
  return [["client", "settings"], ["---", "---"], ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "not in a minute" : `${(ms / 1_000).toFixed(1)} s`;
}

const begin = "<!-- npm run clients: begin -->";
const end = "<!-- npm run clients: end -->";

/** The document with its generated part written anew. */
export function documentOf(old: string, outcomes: readonly Outcome[]): string {
  const [before] = old.split(begin);
  const [, after] = old.split(end);
  const all = outcomes.map(({ client }) => client);
  return `${before}${begin}\n\n${tableOf(outcomes)}\n\n${settingsOf(all)}\n\n${end}${after ?? "\n"}`;
}
