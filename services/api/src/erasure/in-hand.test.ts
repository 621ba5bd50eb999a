import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, serviceContext } from "@parley/testkit";
import { openInHand } from "./in-hand.ts";

type Held = Map<string, PromiseWithResolvers<void>>;

function begin() {
  const [removing, ending]: [Held, Held] = [new Map(), new Map()];
  const hold = (held: Held) => (erasure: { uid: string }) => {
    const work = Promise.withResolvers<void>();
    held.set(erasure.uid, work);
    return work.promise.finally(() => held.delete(erasure.uid));
  };
  const lines: Record<string, unknown>[] = [];
  const { log } = serviceContext("api", undefined, lines);
  const inHand = openInHand({ remove: hold(removing), end: hold(ending), log });
  const add = (uid: string) => inHand.begin({ uid, version: 1, begunAt: 1, pending: true });
  const erased = () => lines.filter(({ event }) => event === "user_erased").map(({ uid }) => uid);
  return { removing, ending, inHand, add, erased, lines };
}

test("four erasures remove what is kept at once; those that wait for the disks keep none of the others waiting", async () => {
  const { removing, ending, inHand, add, erased } = begin();
  const uids = Array.from({ length: 10 }, (_, index) => `u${index}`);
  for (const uid of [...uids, ...uids]) add(uid);
  await eventually(() => removing.size === 4);
  for (let done = 1; done <= 10; done++) {
    assert.ok(removing.size <= 4);
    [...removing.values()][0]!.resolve();
    await eventually(() => ending.size === done && removing.size === Math.min(4, 10 - done));
  }
  assert.deepEqual([...ending.keys()], uids);
  for (const uid of uids) add(uid);
  for (const end of ending.values()) end.resolve();
  await inHand.close();
  assert.deepEqual(erased(), uids);
});

test("one that fails may be begun again; what waits at the end is left", async () => {
  const { removing, inHand, add, erased, lines } = begin();
  add("u0");
  await eventually(() => removing.has("u0"));
  removing.get("u0")!.reject(new Error("away"));
  await eventually(() => lines.some(({ event }) => event === "erasure_unfinished"));
  for (const uid of ["u0", "u1", "u2", "u3", "u4"]) add(uid);
  await eventually(() => removing.size === 4);
  const closed = inHand.close();
  for (const one of removing.values()) one.reject(new Error("stopped"));
  await closed;
  assert.deepEqual([removing.size, erased()], [0, []]);
});
