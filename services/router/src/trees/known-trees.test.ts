import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "@parley/protocol";
import { openKnownTrees } from "./known-trees.ts";

const tree = (clientId: string, version: number, more: Partial<Tree> = {}): Tree => ({
  p: "5",
  owner: "user",
  uid: "ann",
  accounts: ["ann"],
  clientId,
  persistent: false,
  connectedAt: 1,
  filters: [],
  version,
  ...more,
});

function known() {
  const told: string[] = [];
  const trees = openKnownTrees({
    onHere: ({ clientId, version }) => void told.push(`here ${clientId} ${version}`),
    onGone: ({ clientId }) => void told.push(`gone ${clientId}`),
  });
  const ofUser = (uid: string) => [...trees.ofUser(uid)].map(({ clientId }) => clientId);
  return { trees, told, ofUser };
}

const gone = (clientId: string, version: number) => {
  const { p, owner, uid } = tree(clientId, version);
  return { event: "gone", p, owner, uid, clientId, version } as const;
};

test("of two words about one device the later one counts, whichever comes first", () => {
  const { trees, told, ofUser } = known();
  trees.take({ event: "here", tree: tree("a", 3) });
  trees.take({ event: "here", tree: tree("a", 2) });
  trees.take(gone("a", 1));
  assert.deepEqual(ofUser("ann"), ["a"]);
  trees.take(gone("b", 5));
  trees.take({ event: "here", tree: tree("b", 4) });
  assert.deepEqual(ofUser("ann"), ["a"]);
  trees.take({ event: "here", tree: tree("b", 6) });
  trees.take(gone("a", 7));
  assert.deepEqual(ofUser("ann"), ["b"]);
  assert.deepEqual(told, ["here a 3", "here b 6", "gone a"]);
});

test("a list finds who came and went unheard, and overrules nothing that was heard while it was read", () => {
  const { trees, ofUser } = known();
  for (const one of ["stays", "went", "changes"]) trees.take({ event: "here", tree: tree(one, 1) });
  const done = trees.beginList();
  trees.take({ event: "here", tree: tree("changes", 9) });
  trees.take({ event: "here", tree: tree("came meanwhile", 9) });
  trees.take(gone("went meanwhile", 9));
  done([tree("stays", 1), tree("came", 2), tree("went meanwhile", 8)]);
  assert.deepEqual(ofUser("ann").sort(), ["came", "came meanwhile", "changes", "stays"]);
});

test("a device is found by every account of its login, a guest by none", () => {
  const { trees, ofUser } = known();
  trees.take({ event: "here", tree: tree("a", 1, { accounts: ["ann", "ben"] }) });
  trees.take({ event: "here", tree: tree("g", 1, { owner: "guest", uid: "ann", dialect: "chatroom" }) });
  assert.deepEqual([ofUser("ann"), ofUser("ben")], [["a"], ["a"]]);
  trees.take({ event: "here", tree: tree("a", 2, { accounts: ["ann"] }) });
  assert.deepEqual(ofUser("ben"), []);
});
