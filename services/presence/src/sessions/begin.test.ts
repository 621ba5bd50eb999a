import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, serviceContext } from "@parley/testkit";
import { openBegin } from "./begin.ts";
import type { SessionChange } from "./change.ts";

test("while the store is away nobody is shown who may be invisible, and who is not is shown when it is back", async (t) => {
  const made: SessionChange[] = [];
  let isAway = true;
  const begin = openBegin({
    devices: {
      isInvisible: async (clientId) => {
        if (isAway) throw new Error("the store is away");
        return clientId === "alice:phone";
      },
    },
    change: async (change) => void made.push(change),
    log: serviceContext("presence").log,
  });
  t.after(() => begin.close());
  for (const clientId of ["alice:phone", "alice:web", "alice:tablet"])
    await begin.begin({ op: "connect", uid: "alice", clientId, at: 1 });
  assert.deepEqual(
    made.map(({ invisible }) => invisible),
    [true, true, true],
  );
  begin.said("alice:tablet");
  isAway = false;
  await eventually(() => made.length > 3);
  await begin.begin({ op: "connect", uid: "alice", clientId: "alice:phone", at: 2 });
  await begin.begin({ op: "connect", uid: "alice", clientId: "alice:web", at: 2 });
  assert.deepEqual(
    made.slice(3).map(({ op, clientId, invisible }) => [op, clientId, invisible]),
    [
      ["state", "alice:web", undefined],
      ["connect", "alice:phone", true],
      ["connect", "alice:web", undefined],
    ],
  );
});
