// What a device may find of what its user may read.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReadableConversation } from "@parley/protocol";
import { forDevice } from "./readable.ts";

test("a device looks in no room in which its user is with others only, and who asks without one in all", () => {
  const row = (conv: string, devices?: string[]): ReadableConversation => ({
    ...{ conv, stays: [[1, null]], deletedTo: 0 },
    ...(devices && { devices }),
  });
  const readable = new Map([row("room/a"), row("room/b", ["bob:pc"])].map((one) => [one.conv, one]));
  const convs = (clientId?: string) => [...forDevice(readable, clientId === undefined ? {} : { clientId }).keys()];
  assert.deepEqual(convs("bob:pc"), ["room/a", "room/b"]);
  assert.deepEqual(convs("bob:phone"), ["room/a"]);
  assert.deepEqual(convs(), ["room/a", "room/b"]);
});
