import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@parley/runtime";
import { openPublisher } from "./publisher.ts";

const log = createLogger({ service: "test", level: "silent" });
const turn = () => new Promise((resolve) => setImmediate(resolve));
const said = { topic: "t", payload: "x" };

/** Each publish waits for the answer of the broker. */
function publishing() {
  const answers: PromiseWithResolvers<void>[] = [];
  const done: number[] = [];
  const publisher = openPublisher({
    publish: () => {
      const answer = Promise.withResolvers<void>();
      answers.push(answer);
      return answer.promise;
    },
    log,
  });
  return { ...publisher, answers, done };
}

test("a device has what it is not told only when the broker has what it was told before", async () => {
  const { publish, answers, done, isIdle } = publishing();
  await publish([said], () => void done.push(1));
  await publish([], () => void done.push(2));
  await turn();
  assert.deepEqual([answers.length, done, isIdle()], [1, [], false]);
  answers[0]?.resolve();
  await turn();
  assert.deepEqual([done, isIdle()], [[1, 2], true]);
});

test("what the broker did not take before its session ended is not passed over by what needed no word", async () => {
  const { publish, answers, done } = publishing();
  await publish([said], () => void done.push(1));
  answers[0]?.reject(new Error("closed"));
  await turn();
  await publish([], () => void done.push(2));
  await turn();
  assert.deepEqual(done, []);
});

test("who has much under way is waited for", async () => {
  const { publish, answers } = publishing();
  for (let count = 0; count < 100; count++) await publish([said]);
  let waited = true;
  const more = publish([said, said])?.then(() => {
    waited = false;
  });
  await turn();
  assert.ok(waited);
  for (const answer of answers) answer.resolve();
  await more;
});
