// One collection of the port Documents on SQLite.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { type Index, indexOfQuery } from "../definition.ts";
import { checkKey } from "../document-key.ts";
import type { Collection, FindQuery, Page, Versioned } from "../documents.ts";
import { firstVersion } from "../first-version.ts";
import { writePage } from "../page-token.ts";
import { StoreError } from "../store-error.ts";
import type { Database } from "./database.ts";
import { findSql } from "./find-sql.ts";
import { brokenConstraint } from "./sqlite-error.ts";

export class SqliteCollection<T extends object> implements Collection<T> {
  readonly #database: Database;
  readonly #name: string;
  readonly #table: string;
  readonly #indexes: ReadonlyMap<string, Index>;

  constructor(database: Database, name: string, indexes: ReadonlyMap<string, Index>) {
    this.#database = database;
    this.#name = name;
    this.#table = tableName(name);
    this.#indexes = indexes;
  }

  async get(key: string): Promise<Versioned<T> | undefined> {
    return (await this.getMany([key])).get(key);
  }

  getMany(keys: readonly string[]): Promise<Map<string, Versioned<T>>> {
    return this.#database.read(() => {
      const statement = this.#statement(`SELECT key, version, doc FROM ${this.#table} WHERE key = ?`);
      const found = new Map<string, Versioned<T>>();
      for (const key of keys) {
        const row = statement.get(checkKey(key));
        if (row) found.set(key, fromRow(row));
      }
      return found;
    });
  }

  async insert(key: string, doc: T): Promise<boolean> {
    const values = [checkKey(key), firstVersion(), JSON.stringify(doc)];
    return this.#database.write(1, () => {
      const statement = this.#statement(`INSERT INTO ${this.#table} (key, version, doc) VALUES (?, ?, ?)`);
      try {
        statement.run(...values);
        return true;
      } catch (error) {
        if (brokenConstraint(error) === undefined) throw error;
        return false;
      }
    });
  }

  async update(key: string, doc: T, ifVersion: number): Promise<boolean> {
    const values = [JSON.stringify(doc), checkKey(key), ifVersion];
    return this.#database.write(1, () => {
      const statement = this.#statement(
        `UPDATE ${this.#table} SET doc = ?, version = version + 1 WHERE key = ? AND version = ?`,
      );
      return this.#unique(() => statement.run(...values).changes === 1);
    });
  }

  async put(entries: readonly { key: string; doc: T }[]): Promise<void> {
    const rows = entries.map(({ key, doc }) => [checkKey(key), firstVersion(), JSON.stringify(doc)]);
    return this.#database.write(rows.length, () => {
      const statement = this.#statement(
        `INSERT INTO ${this.#table} (key, version, doc) VALUES (?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET doc = excluded.doc, version = version + 1`,
      );
      this.#database.atomic(() => {
        for (const row of rows) this.#unique(() => statement.run(...row));
      });
    });
  }

  async writeMany(entries: readonly { key: string; doc: T; ifVersion?: number }[]): Promise<boolean[]> {
    const rows = entries.map(({ key, doc, ifVersion }) => {
      const json = JSON.stringify(doc);
      return { values: [checkKey(key), firstVersion(), json], changes: [json, key, ifVersion ?? null] };
    });
    return this.#database.write(rows.length, () => rows.map(({ values, changes }) => this.#writeOne(values, changes)));
  }

  // In two steps: a document that is there is changed only at its version, one that is not is made.
  #writeOne(values: SQLInputValue[], changes: SQLInputValue[]): boolean {
    const update = this.#statement(
      `UPDATE ${this.#table} SET doc = ?, version = version + 1 WHERE key = ? AND version = ?`,
    );
    const insert = this.#statement(`INSERT INTO ${this.#table} (key, version, doc) VALUES (?, ?, ?)`);
    try {
      return update.run(...changes).changes === 1 || insert.run(...values).changes === 1;
    } catch (error) {
      if (brokenConstraint(error) === undefined) throw error;
      return false;
    }
  }

  async remove(key: string, ifVersion?: number): Promise<boolean> {
    const values = [checkKey(key), ...(ifVersion === undefined ? [] : [ifVersion])];
    const condition = ifVersion === undefined ? "" : "AND version = ?";
    return this.#database.write(1, () => {
      const statement = this.#statement(`DELETE FROM ${this.#table} WHERE key = ? ${condition}`);
      return statement.run(...values).changes === 1;
    });
  }

  find(query: FindQuery): Promise<Page<T>> {
    return this.#database.read(() => {
      const index = indexOfQuery(this.#name, this.#indexes, query);
      const { sql, values, position } = findSql(this.#name, this.#table, index, query);
      const items = this.#statement(sql)
        .all(...values)
        .map((row) => fromRow<T>(row));
      const last = items[query.limit - 1];
      if (items.length <= query.limit || !last) return { items, next: null };
      return { items: items.slice(0, -1), next: writePage(this.#name, query, position(last.key, last.doc)) };
    });
  }

  #statement(sql: string) {
    return this.#database.statement(sql);
  }

  // SQLite names the index: "index 'users.byEmail'".
  #unique<R>(work: () => R): R {
    try {
      return work();
    } catch (error) {
      const constraint = brokenConstraint(error);
      if (constraint === undefined) throw error;
      const index = /\.(\w+)/.exec(constraint)?.[1] ?? constraint;
      throw new StoreError("duplicate_key", `collection ${this.#name}: a value of ${index} is taken`, {
        cause: error,
        details: { collection: this.#name, index },
      });
    }
  }
}

export function tableName(collection: string): string {
  return `"c_${collection}"`;
}

function fromRow<T>(row: Record<string, SQLOutputValue>): Versioned<T> {
  return { key: String(row.key), version: Number(row.version), doc: JSON.parse(String(row.doc)) };
}
