import assert from "node:assert/strict";
import { test } from "node:test";
import { openLine } from "./line.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

test("what was missed is read first, then one thing after the other", async () => {
  const said: string[] = [];
  const line = openLine({
    catchUp: async () => {
      await turn();
      said.push("missed");
    },
    onFailure: assert.fail,
  });
  for (const one of ["a", "b"])
    line.add(async () => {
      await turn();
      said.push(one);
    });
  while (!line.isIdle()) await turn();
  assert.deepEqual(said, ["missed", "a", "b"]);
});

test("a device that is slow is not waited for without bound: what is too much is read again", async () => {
  const said: string[] = [];
  const held = Promise.withResolvers<void>();
  const line = openLine({ catchUp: async () => void said.push("missed"), onFailure: assert.fail });
  line.add(() => held.promise);
  await turn();
  for (let index = 0; index < 1_500; index++) line.add(async () => void said.push(String(index)));
  held.resolve();
  while (!line.isIdle()) await turn();
  assert.deepEqual(said.slice(0, 3), ["missed", "missed", "1000"]);
  assert.equal(said.length, 2 + 500);
});

test("after a failure what was missed is read again, and the line goes on", async () => {
  let tries = 0;
  const failures: string[] = [];
  const line = openLine({
    catchUp: async () => {
      tries += 1;
      if (tries === 1) throw new Error("away");
    },
    onFailure: (error) => void failures.push(String(error)),
  });
  const told = Promise.withResolvers<void>();
  line.add(async () => told.resolve());
  await told.promise;
  assert.deepEqual([tries, failures], [2, ["Error: away"]]);
});

test("a device whose words are not known yet is caught up with when they are", async () => {
  let known = false;
  let caught = 0;
  const caughtUp = async () => {
    caught += 1;
  };
  const line = openLine({
    catchUp: () => (known ? caughtUp() : undefined),
    onFailure: assert.fail,
  });
  line.add(async () => undefined);
  await turn();
  assert.equal(caught, 0);
  known = true;
  line.add(async () => undefined);
  await turn();
  assert.equal(caught, 1);
});
