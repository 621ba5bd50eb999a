import assert from "node:assert/strict";
import { test } from "node:test";
import { openOwnSessions } from "./own-sessions.ts";

const member = (clientId: string, username: string) => ({ clientId, username, hasTree: false });

test("while a session hears what is others', connected or away, nobody's copies go past the broker", () => {
  const own = openOwnSessions("parley");
  const ann = member("ann:phone", "ann");
  const watcher = member("logger", "parley");
  own.add(ann);
  assert.deepEqual([...(own.allOf("ann") ?? [])], [ann]);
  own.add(watcher);
  assert.deepEqual([own.allOf("ann"), own.isWatched()], [undefined, true]);
  own.away("logger", "parley");
  own.remove(watcher);
  assert.deepEqual([own.allOf("ann"), own.isWatched()], [undefined, true]);
  own.back("logger", "parley");
  assert.deepEqual([[...(own.allOf("ann") ?? [])], own.isWatched()], [[ann], false]);
});

test("a user's connections are found also while another session of theirs is away", () => {
  const own = openOwnSessions("parley");
  const phone = member("ann:phone", "ann");
  own.add(phone);
  own.away("ann:desk", "ann");
  assert.equal(own.allOf("ann"), undefined);
  assert.deepEqual([...own.connectionsOf("ann")], [phone]);
});
