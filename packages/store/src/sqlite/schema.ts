// The schema version of a database file: read before anything is touched, brought forward step by step.
import type { DatabaseSync } from "node:sqlite";
import type { Facts } from "../facts.ts";
import { StoreError } from "../store-error.ts";

/** `steps[n]` is the SQL that brings version n to n + 1. `kind` tells one service's files apart. */
export type Schema = { kind: "log" | "documents" | "search"; steps: readonly string[] };

/** 0 for an empty file. Throws `newer_version`, and `corrupt` for a database that is not this kind of Parley's. */
export function schemaVersion(sqlite: DatabaseSync, path: string, { kind, steps }: Schema): number {
  const tables = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (tables.length === 0) return 0;
  const meta = tables.some(({ name }) => name === "meta")
    ? Object.fromEntries(
        sqlite
          .prepare("SELECT name, value FROM meta")
          .all()
          .map(({ name, value }) => [name, value]),
      )
    : {};
  const version = Number(meta.version);
  if (meta.kind !== kind || !Number.isInteger(version)) {
    throw new StoreError("corrupt", `${path}: it is a database, but not a ${kind} of Parley's; move it away`, {
      details: { path },
    });
  }
  if (version > steps.length) {
    const message = `${path}: written by a newer Parley (schema ${version}, this one knows ${steps.length}); it is left as it is, start the newer one`;
    throw new StoreError("newer_version", message, { details: { path, version } });
  }
  return version;
}

/** Brings the schema from `version` to the newest one, in one transaction. */
export function migrate(sqlite: DatabaseSync, { kind, steps }: Schema, version: number): void {
  if (version === steps.length) return;
  // A step may change the schema's own table.
  sqlite.enableDefensive(false);
  sqlite.exec("BEGIN IMMEDIATE");
  if (version === 0) {
    sqlite.exec("CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT");
    sqlite.prepare("INSERT INTO meta (name, value) VALUES ('kind', ?), ('version', 0)").run(kind);
  }
  for (const step of steps.slice(version)) sqlite.exec(step);
  sqlite.prepare("UPDATE meta SET value = ? WHERE name = 'version'").run(steps.length);
  sqlite.exec("COMMIT");
  sqlite.enableDefensive(true);
}

const factPrefix = "fact.";

/** The constants that the data was written with. */
export function readFacts(sqlite: DatabaseSync): Facts {
  const rows = sqlite.prepare("SELECT name, value FROM meta WHERE name GLOB ?").all(`${factPrefix}*`);
  return Object.fromEntries(rows.map(({ name, value }) => [String(name).slice(factPrefix.length), Number(value)]));
}

export function writeFacts(sqlite: DatabaseSync, facts: Facts): void {
  const statement = sqlite.prepare("INSERT INTO meta (name, value) VALUES (?, ?)");
  for (const [name, value] of Object.entries(facts)) statement.run(`${factPrefix}${name}`, value);
}
