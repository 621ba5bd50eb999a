import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseTreeTopic,
  treeFilters,
  treeMountpoint,
  treeRefusalTopic,
  treeUplinkPrefix,
  treeWillPrefix,
} from "./trees.ts";

const name = { p: "5", owner: "user" as const, uid: "alice", clientId: "alice/android#1%" };

test("what a device wrote comes out of its tree as it went in, whatever is in its client id", () => {
  const mountpoint = treeMountpoint(name);
  assert.equal(mountpoint, "im/x/5/alice/alice%2Fandroid%231%25/");
  for (const topic of ["$IM/user/bob", "/", "a//b/", "im/up/5/alice/alice/msg", "two\nlines"])
    for (const prefix of [mountpoint, treeUplinkPrefix(mountpoint)])
      assert.deepEqual(parseTreeTopic(prefix + topic), { ...name, topic });
});

test("a guest's tree is no user's of that name, and nobody's is neither's", () => {
  const guest = { ...name, owner: "guest" as const };
  const nobody = { ...name, owner: "anonymous" as const, uid: "" };
  assert.equal(new Set([name, guest, nobody].map(treeMountpoint)).size, 3);
  for (const one of [guest, nobody])
    assert.deepEqual(parseTreeTopic(`${treeMountpoint(one)}t`), { ...one, topic: "t" });
});

test("a Last Will is told from what a living device publishes", () => {
  assert.deepEqual(parseTreeTopic(`${treeWillPrefix(treeMountpoint(name))}t`), { ...name, topic: "t", will: true });
});

test("what is told of a refused publish is told from one", () => {
  const { topic: _, ...found } = parseTreeTopic(treeRefusalTopic(treeMountpoint(name))) ?? assert.fail();
  assert.deepEqual(found, { ...name, refused: true });
});

test("a topic in no tree is nobody's", () => {
  for (const topic of ["im/up/5/a/a/msg", "im/x/5/a/a/", "im/x/5/a/a", "im/x/g/a/a/t", "im/xu/5/a/%zz/t", "x"])
    assert.equal(parseTreeTopic(topic), undefined, topic);
});

test("a router hears its own partition's trees, and not what it publishes into them", () => {
  assert.deepEqual(treeFilters("5"), [
    { topic: "im/xu/5/#", noLocal: false },
    { topic: "im/xw/5/#", noLocal: false },
    { topic: "im/xr/5/#", noLocal: false },
    { topic: "im/x/5/#", noLocal: true },
  ]);
});
