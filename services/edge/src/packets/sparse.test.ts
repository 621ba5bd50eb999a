import assert from "node:assert/strict";
import { test } from "node:test";
import { SparseMap, SparseSet } from "./sparse.ts";

test("a sparse map and a sparse set hold what a Map and a Set hold, also after they were empty", () => {
  const map = new SparseMap<number, string>();
  const members = new SparseSet<number>();
  for (let round = 0; round < 2; round++) {
    assert.equal(map.get(1), undefined);
    assert.equal(map.delete(1), false);
    assert.equal(members.has(1), false);
    assert.equal(members.delete(1), false);
    for (const one of [1, 2, 2]) {
      map.set(one, `v${one}`);
      members.add(one);
    }
    assert.deepEqual([map.size, members.size], [2, 2]);
    assert.deepEqual([map.get(2), members.has(2)], ["v2", true]);
    assert.deepEqual([...members.all()], [1, 2]);
    for (const one of [1, 2]) assert.deepEqual([map.delete(one), members.delete(one)], [true, true]);
    assert.deepEqual([map.size, members.size], [0, 0]);
  }
});
