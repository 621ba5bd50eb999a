// Every command that the engine sends: through the gate, with the majority's word, its failures as StoreError.
import type { Db, Document } from "mongodb";
import { StoreError } from "../store-error.ts";
import { writeConcern } from "./client.ts";
import { Gate } from "./gate.ts";
import { asStoreError } from "./mongo-error.ts";

export type WriteError = { index: number; code: number; errmsg: string };

/** `n`: documents inserted, matched or removed. */
export type WriteReply = { n: number; writeErrors?: WriteError[]; upserted?: { index: number }[] };

export class Operations {
  readonly db: Db;
  readonly #place: string;
  readonly #gate: Gate;
  // The driver would open its connections again.
  #closed = false;

  constructor(db: Db, place: string, most: number) {
    this.db = db;
    this.#place = place;
    this.#gate = new Gate(most);
  }

  /** Throws StoreError for every failure that is not a bug. */
  async run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError("unavailable", `${this.#place}: the store is closed`);
    try {
      return await this.#gate.pass(() => work(this.db));
    } catch (error) {
      throw asStoreError(error, this.#place);
    }
  }

  /**
   * A write command, as it goes over the wire, and its plain reply: what was refused is told by its index. `writeErrors`
   * are the caller's to judge; all other failures are thrown, a write that a majority has not confirmed too.
   */
  write(command: Document): Promise<WriteReply> {
    return this.run(async (db) => (await db.command({ ...command, writeConcern })) as unknown as WriteReply);
  }

  /** Takes nothing more; resolves when what was taken is done. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#gate.idle();
  }
}
