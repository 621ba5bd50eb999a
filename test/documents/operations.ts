// The tables of docs/operations.md, made from the services' settings, the secrets and the metrics in the sources.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Settings, secretFiles } from "@parley/runtime";
import { allSettings as all, portKeysOf } from "../deploy/settings-of.ts";
import { readMadePage } from "./made.ts";

const root = join(import.meta.dirname, "../..");

type Row = { key: string; fallback: string; description: string; secret: boolean };

function rowsOf({ properties }: Settings): Row[] {
  return Object.entries(properties).map(([key, schema]) => {
    const {
      default: fallback,
      description = "",
      secret = false,
    } = schema as Record<string, string | undefined> & {
      secret?: boolean;
    };
    return { key, fallback: fallback === undefined ? "" : String(fallback), description, secret };
  });
}

const code = (text: string) => (text === "" ? "" : `\`${text}\``);
const cell = (text: string) => text.replaceAll("|", "\\|");
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

const isOf = ({ prefix }: Settings, key: string) => key.startsWith(`${prefix}_`);

function ports(): string {
  const rows = all.flatMap((settings) =>
    rowsOf(settings)
      .filter(({ key }) => portKeysOf(settings).includes(key))
      .map(({ key, fallback, description }) => [settings.service, code(key), fallback, description]),
  );
  return table(["service", "setting", "default", "what"], rows);
}

function settingsOf(one: Settings): string {
  const rows = rowsOf(one).filter(({ key }) => isOf(one, key));
  const shared = rowsOf(one).filter(({ key }) => !isOf(one, key) && !commonKeys.has(key));
  return `### ${one.service}\n\nReads ${shared.map(({ key }) => code(key)).join(", ")} too.\n\n${settingsTable(rows)}`;
}

const settingsTable = (rows: readonly Row[]) =>
  table(
    ["setting", "default", "what"],
    rows.map(({ key, fallback, description }) => [code(key), code(fallback), description]),
  );

// What every service has.
const commonKeys = new Set(
  rowsOf(all[0]!)
    .map(({ key }) => key)
    .filter((key) => all.every(({ properties }) => key in properties)),
);

function sharedSettings(): string {
  const rows = new Map<string, { row: Row; by: string[] }>();
  for (const one of all) {
    for (const row of rowsOf(one).filter(({ key }) => !isOf(one, key))) {
      const found = rows.get(row.key) ?? { row, by: [] };
      rows.set(row.key, { row, by: [...found.by, one.service] });
    }
  }
  return table(
    ["setting", "default", "what", "read by"],
    [...rows.values()].map(({ row, by }) => [
      code(row.key),
      code(row.fallback),
      `${row.description}${row.secret ? " (may hold a password: never shown)" : ""}`,
      by.length === all.length ? "all" : by.join(", "),
    ]),
  );
}

function secrets(): string {
  return table(
    ["file", "what"],
    Object.entries(secretFiles).map(([file, what]) => [code(file), what]),
  );
}

// A metric is declared as counter(registry, "name", "help"), and so are gauge and histogram.
const declared = /\b(counter|gauge|histogram)(?:<[^>]*>)?\(\s*[\w.]+,\s*"(\w+)",\s*("(?:[^"\\]|\\.)*"|`[^`$]*`)/g;

function metrics(): string {
  const files = globSync("{services,packages}/*/src/**/*.ts", { cwd: root }).filter(
    (file) => !file.endsWith(".test.ts") && !file.includes("node_modules"),
  );
  const rows = files.sort().flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(declared)].map(([, kind = "", name = "", help = ""]) => {
      const [, owner = ""] = file.split("/");
      return [code(`parley_${name}`), kind, owner, help.slice(1, -1)];
    }),
  );
  return table(
    ["metric", "kind", "of", "what"],
    rows.sort(([a = ""], [b = ""]) => a.localeCompare(b)),
  );
}

/** By the names that docs/operations.md marks them with. */
export function operationsTables(): Record<string, string> {
  return {
    ports: ports(),
    shared: sharedSettings(),
    settings: all.map(settingsOf).join("\n\n"),
    secrets: secrets(),
    metrics: metrics(),
  };
}

export const readOperations = () => readMadePage("operations.md", operationsTables());
