// The port SearchIndex on MongoDB: a document a message, found by an index on its conversation and each of its words.
import { type Filter, type Collection as MongoCollection, MongoServerError } from "mongodb";
import { holdsPhrase, type Phrase, phrasesOf } from "../search/phrases.ts";
import { wordsOf } from "../search/words.ts";
import type {
  FoundMessage,
  FoundPage,
  IndexedMessage,
  SearchIndex,
  SearchIndexes,
  SearchQuery,
} from "../search-index.ts";
import { StoreError } from "../store-error.ts";
import { listNames } from "./documents.ts";
import { ensureIndexes, type WantedIndex } from "./indexes.ts";
import { serverCodes } from "./mongo-error.ts";
import type { Operations } from "./operations.ts";
import { searchPrefix } from "./search-names.ts";

/** `tokens`: the words that follow one another, marks (from whom, what is attached), other words. `at`: unix ms. */
type Indexed = { _id: string; conv: string; seq: number; version: number; at: number; tokens: string[] };

const indexes: readonly WantedIndex[] = [{ name: "conv_token", key: { conv: 1, tokens: 1, at: 1 } }];
const batchMost = 500;
const readAtOnce = 200;
// For one find, where only the message's words in their order tell whether it fits.
const readMost = 5_000;

class MongoSearchIndex implements SearchIndex {
  readonly #operations: Operations;
  readonly #stored: string;
  readonly #documents: MongoCollection<Indexed>;

  constructor(operations: Operations, stored: string) {
    this.#operations = operations;
    this.#stored = stored;
    this.#documents = operations.db.collection(stored);
  }

  async put(messages: readonly IndexedMessage[]): Promise<void> {
    for (let start = 0; start < messages.length; start += batchMost) {
      const some = messages.slice(start, start + batchMost).map(toIndexed);
      // A later version that is there refuses the first update: it would be a second document of the same key.
      const updates = some.flatMap(({ _id, at, ...rest }) => [
        { q: { _id, version: { $lt: rest.version } }, u: { $set: rest, $min: { at } }, upsert: true },
        { q: { _id }, u: { $min: { at } } },
      ]);
      const { writeErrors = [] } = await this.#operations.write({ update: this.#stored, updates, ordered: false });
      const failed = writeErrors.find(({ code }) => code !== serverCodes.duplicateKey);
      if (!failed) continue;
      const isFull = failed.code === serverCodes.outOfDiskSpace;
      throw new StoreError(isFull ? "full" : "unavailable", `${this.#stored}: ${failed.errmsg} (${failed.code})`);
    }
  }

  async find(query: SearchQuery): Promise<FoundPage> {
    const { convs, terms, limit } = query;
    const perTerm = terms.map(phrasesOf);
    if (limit < 1 || convs.length === 0 || perTerm.some((some) => some.length === 0))
      return { messages: [], next: null };
    const phrases = perTerm.flat();
    const long = phrases.filter(({ words }) => words.length > 1);
    const messages: FoundMessage[] = [];
    let after = query.after;
    for (let read = 0; read < readMost && messages.length < limit; ) {
      const wanted = long.length === 0 ? limit : readAtOnce;
      const rows = await this.#rows(filterOf(query, phrases, after), wanted);
      for (const row of rows) {
        after = placeOf(row);
        if (long.every((phrase) => holdsPhrase(row.tokens, phrase))) messages.push({ ...pick(row), place: after });
        if (messages.length === limit) return { messages, next: after };
      }
      if (rows.length < wanted) return { messages, next: null };
      read += rows.length;
    }
    return { messages, next: after ?? null };
  }

  // The server reclaims and overwrites by itself.
  async compact(): Promise<void> {}

  async size(): Promise<number> {
    return 0;
  }

  #rows(filter: Filter<Indexed>, limit: number): Promise<Indexed[]> {
    return this.#operations.run(() => this.#documents.find(filter).sort({ at: -1, _id: -1 }).limit(limit).toArray());
  }
}

export class MongoSearchIndexes implements SearchIndexes {
  readonly #operations: Operations;
  readonly #builder: Operations;
  readonly #prefix: string;

  /** `builder` waits as long as an index takes. */
  constructor(parts: { operations: Operations; builder: Operations; prefix: string }) {
    this.#operations = parts.operations;
    this.#builder = parts.builder;
    this.#prefix = `${parts.prefix}${searchPrefix}`;
  }

  async open(name: string): Promise<SearchIndex> {
    const stored = this.#stored(name);
    await this.#builder.run(async (db) => {
      await db.createCollection(stored).catch((error: unknown) => ignore(error, serverCodes.namespaceExists));
      await ensureIndexes(db.collection(stored), indexes);
    });
    return new MongoSearchIndex(this.#operations, stored);
  }

  async list(): Promise<string[]> {
    return (await listNames(this.#operations, this.#prefix)).sort();
  }

  async drop(name: string): Promise<void> {
    if (!(await this.list()).includes(name)) return;
    await this.#operations.run((db) => db.dropCollection(this.#stored(name)));
  }

  #stored(name: string): string {
    if (!/^[a-z0-9]{1,32}$/.test(name)) throw new TypeError(`an index's name is letters and digits, not ${name}`);
    return `${this.#prefix}${name}`;
  }
}

function toIndexed({ conv, seq, version, ts, from, text, has }: IndexedMessage): Indexed {
  const { sequence, extras } = wordsOf(text ?? "");
  const tokens = text === null ? [] : [...sequence, senderMark(from), ...has.map(attachmentMark), ...extras];
  return { _id: `${conv} ${seq}`, conv, seq, version, at: ts, tokens };
}

function filterOf(query: SearchQuery, phrases: readonly Phrase[], after: string | undefined): Filter<Indexed> {
  const { convs, from, has = [], since, until } = query;
  const marks = [...has.map(attachmentMark), ...(from === undefined ? [] : [senderMark(from)])];
  const whole = phrases.flatMap(({ words, isPrefix }) => (isPrefix ? words.slice(0, -1) : words));
  const begun = phrases.flatMap(({ words, isPrefix }) => (isPrefix ? (words.at(-1) ?? []) : []));
  const conditions: Filter<Indexed>[] = [
    { conv: { $in: [...convs] } },
    ...[...new Set([...whole, ...marks])].map((token) => ({ tokens: token })),
    ...begun.map((word) => ({ tokens: { $regex: `^${asPattern(word)}` } })),
    ...(since === undefined ? [] : [{ at: { $gte: since } }]),
    ...(until === undefined ? [] : [{ at: { $lt: until } }]),
    ...(after === undefined ? [] : [behind(after)]),
  ];
  return { $and: conditions };
}

function behind(place: string): Filter<Indexed> {
  const [, at, key] = /^(\d{1,16}) (\S+ \d+)$/.exec(place) ?? [];
  if (at === undefined || key === undefined) throw new StoreError("invalid_page", "the place is not of this index");
  return { $or: [{ at: { $lt: Number(at) } }, { at: Number(at), _id: { $lt: key } }] };
}

const placeOf = ({ at, _id }: Indexed) => `${at} ${_id}`;
const pick = ({ conv, seq, version }: Indexed) => ({ conv, seq, version });
// No word has an @.
const senderMark = (uid: string) => `@f${uid}`;
const attachmentMark = (kind: string) => `@h${kind}`;
// Of a pattern's signs words have only the dot.
const asPattern = (word: string) => word.replaceAll(".", "\\.");

function ignore(error: unknown, code: number): void {
  if (!(error instanceof MongoServerError && error.code === code)) throw error;
}
