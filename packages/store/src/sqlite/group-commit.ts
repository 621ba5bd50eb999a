// Group commit: what is written in one turn of the event loop shares one transaction and one fsync.
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store-error.ts";
import { asStoreError } from "./sqlite-error.ts";

// A transaction of more rows would stop the event loop for longer than a message should wait.
const rowsMax = 2_000;

type Write = { rows: number; run: () => void; settle: () => void; fail: (error: unknown) => void };

export class GroupCommit {
  readonly #sqlite: DatabaseSync;
  readonly #path: string;
  readonly #ended: (isCommitted: boolean) => void;
  #waiting: Write[] = [];
  #scheduled = false;

  /** `ended` is told of each transaction's end before anybody else is. */
  constructor(sqlite: DatabaseSync, path: string, ended: (isCommitted: boolean) => void) {
    this.#sqlite = sqlite;
    this.#path = path;
    this.#ended = ended;
  }

  /** Runs `work` with the next group; what it throws fails it alone, unless the transaction is lost with it. */
  add<T>(rows: number, work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let settle = () => {};
      const run = () => {
        const result = work();
        settle = () => resolve(result);
      };
      this.#waiting.push({ rows, run, settle: () => settle(), fail: reject });
      this.#schedule();
    });
  }

  /** Commits all that waits. */
  flush(): void {
    while (this.#waiting.length > 0) this.#commit(this.#take());
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waiting.length === 0) return;
      this.#commit(this.#take());
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #take(): Write[] {
    let rows = 0;
    const end = this.#waiting.findIndex((write) => {
      rows += write.rows;
      return rows >= rowsMax;
    });
    return end === -1 ? this.#waiting.splice(0) : this.#waiting.splice(0, end + 1);
  }

  #commit(group: readonly Write[]): void {
    const refused = new Map<Write, unknown>();
    try {
      this.#sqlite.exec("BEGIN IMMEDIATE");
      for (const write of group) this.#run(write, refused);
      this.#sqlite.exec("COMMIT");
    } catch (cause) {
      const error = this.#rollBack(cause);
      this.#ended(false);
      for (const write of group) write.fail(refused.get(write) ?? error);
      return;
    }
    this.#ended(true);
    for (const write of group) {
      if (refused.has(write)) write.fail(refused.get(write));
      else write.settle();
    }
  }

  // A refusal leaves the transaction whole; a failure of the disk or the file ends it for all.
  #run(write: Write, refused: Map<Write, unknown>): void {
    try {
      write.run();
    } catch (cause) {
      const error = asStoreError(cause, this.#path);
      if (!this.#sqlite.isTransaction || (error !== cause && error instanceof StoreError)) throw cause;
      refused.set(write, error);
    }
  }

  #rollBack(cause: unknown): unknown {
    try {
      if (this.#sqlite.isTransaction) this.#sqlite.exec("ROLLBACK");
    } catch {
      // The next BEGIN says so if the transaction is still there.
    }
    return asStoreError(cause, this.#path);
  }
}
