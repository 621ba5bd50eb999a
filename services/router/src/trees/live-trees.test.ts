import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "@parley/protocol";
import { openLiveTrees } from "./live-trees.ts";

const guest = (clientId: string, filters: string[], more: Partial<Tree> = {}): Tree => ({
  p: "5",
  owner: "guest",
  uid: "chat",
  accounts: [],
  clientId,
  dialect: "chatroom",
  prefix: "chat",
  persistent: false,
  connectedAt: 1,
  filters,
  version: 1,
  ...more,
});

test("a room of a guests' topic is heard by who subscribes that topic, by its name or by a wildcard, and may hear it", () => {
  const trees = openLiveTrees();
  const hearing = (room: string) => Array.from(trees.hearing(`room/${room}`), ({ clientId }) => clientId);
  const all = [
    guest("name", ["chat/a", "chat/b"]),
    guest("shared", ["$share/g/chat/a"]),
    guest("wild", ["chat/+", "chat/b"]),
    guest("others", ["chat/a"], { prefix: "other" }),
    guest("native", ["chat/a"], { dialect: "slimchat" }),
  ];
  for (const tree of all) trees.add(tree);
  assert.deepEqual(hearing("chat.2Fa"), ["name", "shared", "wild"]);
  assert.deepEqual(new Set(hearing("chat.2Fb")), new Set(["name", "wild"]));
  assert.deepEqual(hearing("chat.2Fc"), ["wild"]);
  assert.deepEqual(hearing("chat.2Fa.2Fa"), []);
  for (const tree of all) trees.remove(tree);
  assert.deepEqual(hearing("chat.2Fa"), []);
});
