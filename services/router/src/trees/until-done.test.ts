import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@parley/protocol";
import { untilDone } from "./until-done.ts";

const quick = { pauseMs: 1, longestMs: 60_000 };
const away = () => new AppError("unavailable");

test("what cannot be done now is tried again, and told so, until it is done", async () => {
  const tries: boolean[] = [];
  const work = async (isAgain: boolean) => {
    tries.push(isAgain);
    if (tries.length < 3) throw away();
  };
  await untilDone(work, () => true, quick);
  assert.deepEqual(tries, [false, true, true]);
});

test("what is refused for good, whose session has ended, or that nobody wants any more is not tried again", async () => {
  const ended = new AppError("unavailable", "closed", { details: { reason: "closed" } });
  for (const [error, isWanted] of [
    [new AppError("forbidden"), true],
    [ended, true],
    [away(), false],
  ] as const) {
    let tries = 0;
    const work = () => {
      tries += 1;
      return Promise.reject(error);
    };
    await assert.rejects(
      untilDone(work, () => isWanted, quick),
      error,
    );
    assert.equal(tries, 1);
  }
});

test("what nobody wants any more when its pause is over is not tried again", async () => {
  let tries = 0;
  const work = () => {
    tries += 1;
    return Promise.reject(away());
  };
  let asked = 0;
  await assert.rejects(
    untilDone(work, () => ++asked === 1, quick),
    { code: "unavailable" },
  );
  assert.equal(tries, 1);
});

test("what cannot be done for long is given up", async () => {
  await assert.rejects(
    untilDone(
      () => Promise.reject(away()),
      () => true,
      { pauseMs: 1, longestMs: 20 },
    ),
    { code: "unavailable" },
  );
});
