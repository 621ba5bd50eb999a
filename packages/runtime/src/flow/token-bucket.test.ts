import assert from "node:assert/strict";
import { test } from "node:test";
import { openTokenBucket, openTokenBuckets } from "./token-bucket.ts";

test("a burst goes at once, then the rate; a refusal says when to come again and costs nothing", () => {
  let time = 0;
  const bucket = openTokenBucket({ rate: 10, burst: 3, now: () => time });
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => bucket.take()),
    [0, 0, 0, 100, 100],
  );
  time += 100;
  assert.deepEqual([bucket.take(), bucket.take()], [0, 100]);
  time += 1_000_000;
  assert.deepEqual([bucket.take(3), bucket.take()], [0, 100], "a bucket holds no more than its burst");
});

test("what costs more than a full bucket goes when the bucket is full, and is paid back", () => {
  let time = 0;
  const bucket = openTokenBucket({ rate: 10, burst: 5, now: () => time });
  assert.equal(bucket.take(20), 0);
  assert.equal(bucket.take(), 1_600);
  time += 1_600;
  assert.equal(bucket.take(), 0);
});

test("spending goes on in any case, and tells how long the debt lasts", () => {
  let time = 0;
  const bucket = openTokenBucket({ rate: 10, burst: 2, now: () => time });
  assert.deepEqual([bucket.spend(2), bucket.spend(), bucket.spend(4)], [0, 100, 500]);
  time += 500;
  assert.equal(bucket.spend(0), 0);
});

test("a clock that goes back gives nothing and takes nothing", () => {
  let time = 1_000;
  const bucket = openTokenBucket({ rate: 10, burst: 1, now: () => time });
  bucket.take();
  time = 0;
  assert.equal(bucket.take(), 100);
});

test("each key has a bucket of its own; of too many the least recently used starts anew", () => {
  const buckets = openTokenBuckets({ rate: 10, burst: 1, keys: 2, now: () => 0 });
  assert.deepEqual([buckets.take("a"), buckets.take("a"), buckets.take("b")], [0, 100, 0]);
  assert.equal(buckets.take("a"), 100);
  assert.deepEqual([buckets.peek("a"), buckets.peek("new")], [100, 0]);
  assert.equal(buckets.take("c"), 0);
  assert.deepEqual([buckets.take("a"), buckets.take("b")], [100, 0]);
});
