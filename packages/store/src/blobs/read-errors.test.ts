// A place that stops in the middle of a blob ends its reading; a reader that takes its time does not.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../store-error.ts";
import { readWithErrors } from "./read-errors.ts";

/** Brings these and then nothing more, without an end. */
function stalled(...chunks: string[]): Readable {
  return new Readable({
    read() {
      const chunk = chunks.shift();
      if (chunk !== undefined) this.push(chunk);
    },
  });
}

test("a blob of which no byte arrives any more fails as unavailable, and its source is let go", async () => {
  const source = stalled("some", "more");
  let seen = "";
  const reading = async () => {
    for await (const chunk of readWithErrors(source, (error) => error, 20)) seen += String(chunk);
  };
  await assert.rejects(reading, (error) => error instanceof StoreError && error.code === "unavailable");
  assert.deepEqual([seen, source.destroyed], ["somemore", true]);
});

test("a reader that rests for longer than a place may be silent has all of it", async () => {
  const silenceMs = 20;
  const chunk = Buffer.alloc(300_000, "a");
  const read = readWithErrors(Readable.from([chunk, chunk, chunk]), (error) => error, silenceMs);
  let size = 0;
  for await (const part of read) {
    size += part.length;
    await sleep(3 * silenceMs);
  }
  assert.equal(size, 900_000);
});
