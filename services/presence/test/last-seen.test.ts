// When devices were last seen: by the end of their connections, and by their logins and refreshes, which api knows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { devicesList, devicesUpdate } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { startOne } from "./start.ts";

const timeoutMs = 30_000;
const asAlice = { uid: "alice", via: "http" } as const;

test("a device that uses HTTP only was last seen when it logged in or refreshed its token, whether or not anything is kept of it", async (t) => {
  const presence = await startOne(t);
  const seen = async () => {
    const { devices } = await callMethod(presence.nats, devicesList, asAlice, {}, { timeoutMs });
    return devices.map(({ clientId, lastSeen }) => [clientId, lastSeen]);
  };
  presence.logins.push({ clientId: "alice:web", at: 1_000, families: [] });
  assert.deepEqual(await seen(), [["alice:web", 1_000]]);
  await callMethod(presence.nats, devicesUpdate, asAlice, { clientId: "alice:web", name: "Web" }, { timeoutMs });
  presence.logins.splice(0, 1, { clientId: "alice:web", at: 2_000, families: [] });
  assert.deepEqual(await seen(), [["alice:web", 2_000]]);
});
