// The port Documents on SQLite: one table a collection, the document as JSON, indexes on expressions.
import { type Index, readDefinition } from "../definition.ts";
import type { Collection, CollectionDefinition, Documents } from "../documents.ts";
import { StoreError } from "../store-error.ts";
import { SqliteCollection, tableName } from "./collection.ts";
import type { Database } from "./database.ts";
import { fieldSql, indexSqlName } from "./find-sql.ts";
import type { Schema } from "./schema.ts";
import { brokenConstraint } from "./sqlite-error.ts";

// Collections make their own tables: the schema is only that this file is Parley's.
export const documentsSchema: Schema = { kind: "documents", steps: [""] };

export class SqliteDocuments implements Documents {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async collection<T extends object>(definition: CollectionDefinition<T>): Promise<Collection<T>> {
    const indexes = readDefinition(definition);
    await this.#database.write(1, () => this.#database.atomic(() => this.#build(definition.name, indexes)));
    return new SqliteCollection<T>(this.#database, definition.name, indexes);
  }

  definitions(): Promise<CollectionDefinition[]> {
    return this.#database.read(() =>
      this.#database
        .statement("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'c_*' ORDER BY name")
        .all()
        .map(({ name }) => this.#definition(String(name).slice("c_".length))),
    );
  }

  #definition(name: string): CollectionDefinition {
    const indexes = this.#stored(name).map(({ name: found, sql }) => {
      const [fields, unique] = [fieldsIn(sql), /^CREATE UNIQUE/.test(sql)];
      return [found.slice(name.length + 1), unique ? { fields, unique } : fields] as const;
    });
    return { name, indexes: Object.fromEntries(indexes) };
  }

  #stored(name: string): { name: string; sql: string }[] {
    return this.#database
      .statement(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY name",
      )
      .all(`c_${name}`)
      .map((row) => ({ name: String(row.name), sql: String(row.sql) }));
  }

  #build(name: string, indexes: ReadonlyMap<string, Index>): void {
    const table = tableName(name);
    this.#database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, version INTEGER NOT NULL, doc TEXT NOT NULL) STRICT`,
    );
    const wanted = new Map(
      [...indexes.values()].map((index) => [indexSqlName(name, index.name), indexSql(name, index)]),
    );
    for (const { name: found, sql } of this.#stored(name)) {
      const quoted = `"${found}"`;
      if (wanted.get(quoted) === sql) wanted.delete(quoted);
      else this.#database.exec(`DROP INDEX ${quoted}`);
    }
    for (const [index, sql] of wanted) this.#create(index, sql);
  }

  #create(index: string, sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (error) {
      if (brokenConstraint(error) === undefined) throw error;
      throw new StoreError("duplicate_key", `index ${index} cannot be unique: stored documents share a value`, {
        cause: error,
      });
    }
  }
}

function indexSql(collection: string, { name, fields, unique }: Index): string {
  const expressions = fields.map(fieldSql);
  const held = unique ? expressions : [...expressions, "key"];
  const present = expressions.map((expression) => `${expression} IS NOT NULL`);
  return `CREATE ${unique ? "UNIQUE " : ""}INDEX ${indexSqlName(collection, name)} ON ${tableName(collection)} (${held.join(", ")}) WHERE ${present.join(" AND ")}`;
}

// The other way round: what `indexSql` made. Its WHERE names each field once.
function fieldsIn(sql: string): string[] {
  const conditions = sql.slice(sql.indexOf(" WHERE "));
  return [...conditions.matchAll(/'\$((?:\."\w+")+)'/g)].map(([, path = ""]) =>
    path.slice('."'.length, -1).split('"."').join("."),
  );
}
