import assert from "node:assert/strict";
import { test } from "node:test";
import { openRounds } from "./rounds.ts";

function start(most = 3) {
  const rounds: number[][] = [];
  const held: PromiseWithResolvers<(string | Error)[]>[] = [];
  const ask = openRounds<number, string>({
    most,
    work(round) {
      rounds.push([...round]);
      held.push(Promise.withResolvers());
      return held.at(-1)!.promise;
    },
  });
  const begun = async (count: number) => {
    while (rounds.length < count) await new Promise(setImmediate);
  };
  return { rounds, held, ask, begun };
}

test("what is asked for in one turn, or while a round is under way, is one round, as many as fit", async () => {
  const { rounds, held, ask, begun } = start();
  const first = [ask(1), ask(2)];
  await begun(1);
  const next = [3, 4, 5, 6].map(ask);
  held[0]!.resolve(["one", "two"]);
  assert.deepEqual(await Promise.all(first), ["one", "two"]);
  await begun(2);
  held[1]!.resolve(["three", "four", "five"]);
  await begun(3);
  held[2]!.resolve(["six"]);
  assert.deepEqual(await Promise.all(next), ["three", "four", "five", "six"]);
  assert.deepEqual(rounds, [[1, 2], [3, 4, 5], [6]]);
});

test("one that fails fails alone; a round that fails is nobody else's affair", async () => {
  const { held, ask, begun } = start();
  const [bad, good] = [ask(1), ask(2)];
  await begun(1);
  held[0]!.resolve([new Error("its own"), "two"]);
  await assert.rejects(bad, /its own/);
  assert.equal(await good, "two");
  const lost = [ask(3), ask(4)];
  await begun(2);
  held[1]!.reject(new Error("all"));
  for (const one of lost) await assert.rejects(one, /all/);
  const short = [ask(5), ask(6)];
  await begun(3);
  held[2]!.resolve(["five"]);
  assert.equal(await short[0], "five");
  await assert.rejects(short[1]!, /left one out/);
  const after = ask(7);
  await begun(4);
  held[3]!.resolve(["seven"]);
  assert.equal(await after, "seven");
});
