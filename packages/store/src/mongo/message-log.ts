// The port MessageLog on MongoDB: one collection, one ordered insert a batch.
import { conversationPartition } from "@parley/protocol/partition";
import type { Collection, Document, Filter, FindOptions } from "mongodb";
import { chunks, each } from "../each.ts";
import type { EntryKey, LogEntry, LogPosition, MessageLog, RangeQuery } from "../log.ts";
import { StoreError } from "../store-error.ts";
import { type EntryDocument, eventText, fromDocument, logCollection, toDocument } from "./entry-documents.ts";
import { serverCodes } from "./mongo-error.ts";
import type { Operations, WriteError } from "./operations.ts";

// Servers say 1,000 or 100,000 documents a command; a command is below 16 MB.
const insertMost = 1_000;
const insertBytesMost = 8 * 1024 * 1024;
// One caller's queries at once.
const queriesMost = 16;
// Up to so many keys each is a query by the whole unique index; more go as one.
const singleKeysMost = 8;
const keysAQuery = 100;
const pageMost = 500;
const retainStep = 500;

export class MongoMessageLog implements MessageLog {
  readonly #operations: Operations;
  readonly #name: string;
  readonly #entries: Collection<EntryDocument>;
  // Where this process knows a partition to end: `append` need not ask whether the entry before is there.
  readonly #ends = new Map<number, number>();

  constructor(operations: Operations, prefix: string) {
    this.#operations = operations;
    this.#name = `${prefix}${logCollection}`;
    this.#entries = operations.db.collection(this.#name);
  }

  async append(q: number, batch: readonly LogEntry[]): Promise<void> {
    const [first] = batch;
    if (!first) return;
    const wrong = batch.findIndex((entry, at) => entry.q !== q || entry.pos !== first.pos + at);
    if (wrong === 0) throw gap(q, first.pos);
    if (first.pos > 1 && this.#ends.get(q) !== first.pos - 1 && !(await this.at(q, first.pos - 1)))
      throw gap(q, first.pos);
    await this.#insert(q, wrong < 0 ? batch : batch.slice(0, wrong));
    if (wrong > 0) throw gap(q, batch[wrong]?.pos ?? 0);
  }

  async restore(q: number, entries: readonly LogEntry[]): Promise<void> {
    let { pos } = await this.last(q);
    const wrong = entries.findIndex((entry) => {
      if (entry.q !== q || entry.pos <= pos) return true;
      pos = entry.pos;
      return false;
    });
    await this.#insert(q, wrong < 0 ? entries : entries.slice(0, wrong));
    if (wrong >= 0) throw gap(q, entries[wrong]?.pos ?? 0);
  }

  async last(q: number): Promise<LogPosition> {
    const [found] = await this.#find({ q }, { sort: { pos: -1 }, limit: 1, projection: { pos: 1, _id: 0 } });
    return { pos: found?.pos ?? 0 };
  }

  // A query each, a few at once: no aggregation finds the last of each of many without reading all of them.
  async heads(convs: readonly string[]): Promise<Map<string, LogEntry>> {
    const found = await each([...new Set(convs)], queriesMost, (conv) =>
      this.#find(ofConversation(conv), { sort: { seq: -1 }, limit: 1 }),
    );
    return new Map(found.flat().map((document) => [document.conv, fromDocument(document)]));
  }

  async range(conv: string, { after, before, limit, maxBytes }: RangeQuery): Promise<LogEntry[]> {
    if (limit <= 0) return [];
    const up = after !== undefined;
    const seq = { $gt: after ?? 0, ...(before !== undefined && { $lt: before }) };
    const entries: LogEntry[] = [];
    let bytes = 0;
    await this.#operations.run(async () => {
      const cursor = this.#entries.find(
        { ...ofConversation(conv), seq },
        { sort: { seq: up ? 1 : -1 }, ...page(limit) },
      );
      try {
        for await (const document of cursor) {
          const entry = fromDocument(document);
          bytes += entry.body.length;
          if (maxBytes !== undefined && bytes > maxBytes && entries.length > 0) break;
          entries.push(entry);
        }
      } finally {
        await cursor.close();
      }
    });
    return up ? entries : entries.reverse();
  }

  read(conv: string, query: RangeQuery): Promise<LogEntry[]> {
    return this.range(conv, query);
  }

  async follow(q: number, afterPos: number, limit: number): Promise<LogEntry[]> {
    if (limit <= 0) return [];
    const found = await this.#find({ q, pos: { $gt: afterPos } }, { sort: { pos: 1 }, ...page(limit) });
    return found.map(fromDocument);
  }

  async at(q: number, pos: number): Promise<LogEntry | undefined> {
    const [found] = await this.#find({ q, pos }, { limit: 1 });
    return found && fromDocument(found);
  }

  async find(keys: readonly EntryKey[]): Promise<(LogEntry | undefined)[]> {
    const asked = new Map(keys.map((key) => [keyText(key), key]));
    const queries = chunks([...asked.values()], asked.size > singleKeysMost ? keysAQuery : 1);
    const found = await each(queries, queriesMost, (some) => {
      const filters = some.map(({ conv, from, device, id }) => ({ ...ofConversation(conv), from, device, id }));
      return this.#find(filters.length === 1 ? (filters[0] as Filter<EntryDocument>) : { $or: filters });
    });
    const byKey = new Map(found.flat().map((document) => [keyText(document), document]));
    return keys.map((key) => {
      const document = byKey.get(keyText(key));
      return document && fromDocument(document);
    });
  }

  async senders(conv: string, after: number, upTo: number, limit: number): Promise<string[]> {
    if (limit <= 0) return [];
    const stages: Document[] = [
      { $match: { ...ofConversation(conv), seq: { $gt: after, $lte: upTo } } },
      { $group: { _id: "$from" } },
      { $sort: { _id: 1 } },
      { $limit: limit },
    ];
    const found = await this.#operations.run(() => this.#entries.aggregate<{ _id: string }>(stages).toArray());
    return found.map(({ _id }) => _id);
  }

  async blank(conv: string, seq: number, event?: LogEntry["event"]): Promise<boolean> {
    const emptied = { body: new Uint8Array(0), ...(event === undefined ? {} : { event: eventText(event) }) };
    const reply = await this.#operations.run(() =>
      this.#entries.updateOne({ ...ofConversation(conv), seq }, { $set: emptied }),
    );
    return reply.matchedCount === 1;
  }

  async erase(conv: string, seqs: readonly number[]): Promise<void> {
    if (seqs.length === 0) return;
    const body = new Uint8Array(0);
    const said = { ...ofConversation(conv), seq: { $in: [...seqs] } };
    const found = await this.#operations.run(() =>
      this.#entries.find(said, { projection: { _id: 0, seq: 1, type: 1 } }).toArray(),
    );
    // No sender has it: its own keys cannot stand in the way.
    const device = "";
    const updates = found.map(({ seq, type }) => {
      const key = { device, id: `erased-${seq}` };
      const update = { $set: type === "event" ? key : { ...key, body, ...(type === "recall" ? {} : { event: null }) } };
      return { updateOne: { filter: { ...ofConversation(conv), seq }, update } };
    });
    if (updates.length > 0) await this.#operations.run(() => this.#entries.bulkWrite(updates, { ordered: false }));
  }

  async retain(conv: string, firstSeq: number): Promise<number> {
    // A conversation's last entry stays, and with it the partition's: that one is the last of its conversation too.
    const last = (await this.heads([conv])).get(conv)?.seq ?? 0;
    const end = Math.min(firstSeq, last);
    let removed = 0;
    for (let seq = await this.first(conv); seq < end; seq += retainStep) {
      const below = { ...ofConversation(conv), seq: { $lt: Math.min(seq + retainStep, end) } };
      removed += (await this.#operations.run(() => this.#entries.deleteMany(below))).deletedCount;
    }
    return removed;
  }

  async first(conv: string): Promise<number> {
    const [found] = await this.#find(ofConversation(conv), {
      sort: { seq: 1 },
      limit: 1,
      projection: { seq: 1, _id: 0 },
    });
    return found?.seq ?? 0;
  }

  #find(filter: Filter<EntryDocument>, options: FindOptions = {}): Promise<EntryDocument[]> {
    return this.#operations.run(() => this.#entries.find(filter, options).toArray()) as Promise<EntryDocument[]>;
  }

  // Ordered: it stops at the first refusal, so that what is stored is a prefix.
  async #insert(q: number, batch: readonly LogEntry[]): Promise<void> {
    this.#ends.delete(q);
    for (const part of parts(batch)) {
      const documents = part.map(toDocument);
      const { writeErrors: [refusal] = [] } = await this.#operations.write({
        insert: this.#name,
        documents,
        ordered: true,
      });
      if (refusal) throw refused(part[refusal.index] as LogEntry, refusal, batch[0]?.pos);
    }
    const last = batch.at(-1);
    if (last) this.#ends.set(q, last.pos);
  }
}

function ofConversation(conv: string): { q: number; conv: string } {
  return { q: conversationPartition(conv), conv };
}

function page(limit: number): FindOptions {
  return { limit, batchSize: Math.min(limit, pageMost) };
}

function keyText({ conv, from, device, id }: EntryKey): string {
  return JSON.stringify([conv, from, device, id]);
}

// What one command may carry.
function parts(batch: readonly LogEntry[]): LogEntry[][] {
  const all: LogEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of batch) {
    bytes += entry.body.length;
    if (bytes > insertBytesMost || all.at(-1)?.length === insertMost) {
      all.push([]);
      bytes = entry.body.length;
    }
    all.at(-1)?.push(entry);
  }
  return all;
}

function refused({ q, pos, conv, seq }: LogEntry, { code, errmsg }: WriteError, firstPos?: number): StoreError {
  const details = { q, pos, conv, seq };
  if (code === serverCodes.duplicateKey) {
    const [, index = "unique value"] = /index: (\w+)/.exec(errmsg) ?? [];
    return new StoreError("duplicate_key", `the log has an entry with the same ${index}`, { details });
  }
  // `full` promises that nothing is stored.
  const full = code === serverCodes.outOfDiskSpace && pos === firstPos;
  if (full) return new StoreError("full", "the server's disk is full; free some space", { details });
  return new StoreError("unavailable", `the server refused an entry: ${errmsg} (${code})`, { details });
}

function gap(q: number, pos: number): StoreError {
  return new StoreError("gap", `entry ${pos} does not follow the last one of partition ${q}`, { details: { q, pos } });
}
