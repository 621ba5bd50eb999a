import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AppError, roomsCreate } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { password, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
startHistoryProcess({ after }, api);
const { token } = await api.user("alice");
await eventually(async () => (await api.call("GET", "/rooms", { token })).status === 200);
const operator = api.secrets.servicesSecret;
const { key } = (await api.call("POST", "/keys", { token: operator, json: { name: "bot" } })).body;

const controls = ["\u0000", "\u0001", "\n", "\u001b", "\u007f", "\u0085", "\u009b"];

test("a name with a control character is refused at every door that takes one, and nothing is made", async () => {
  for (const [n, control] of controls.entries()) {
    const name = `a${control}b`;
    const asked = [
      await api.call("POST", "/register", { json: { username: `new${n}`, password, name } }),
      await api.call("POST", "/users", { token: key, json: { uid: `new${n}`, name } }),
      await api.call("POST", "/rooms", { token, json: { id: `new${n}`, name } }),
      await api.call("POST", "/keys", { token: operator, json: { name } }),
    ];
    for (const { status, body } of asked) {
      assert.deepEqual([status, body.error?.code], [400, "invalid_packet"], JSON.stringify([name, body]));
      assert.equal(body.error.message, "name must be without control characters");
    }
    const caller = { uid: "alice", clientId: "alice:web", via: "mqtt" } as const;
    await assert.rejects(
      callMethod(api.nats, roomsCreate, caller, { name }, { timeoutMs: 30_000 }),
      (error) => error instanceof AppError && error.code === "invalid_packet",
    );
  }
  assert.deepEqual((await api.call("GET", "/rooms", { token })).body.rooms, []);
  const { keys } = (await api.call("GET", "/keys", { token: operator })).body;
  assert.deepEqual(
    keys.map(({ name }: { name: string }) => name),
    ["bot"],
  );
});

test("a name may have any other character, as many as before", async () => {
  const name = "Ünï – 表\u00a0".padEnd(128, "😀");
  const { status, body } = await api.call("POST", "/rooms", { token, json: { name } });
  assert.deepEqual([status, body.name], [200, name]);
  for (const wrong of ["", "x".repeat(129)])
    assert.equal((await api.call("POST", "/rooms", { token, json: { name: wrong } })).status, 400);
  assert.equal((await api.call("POST", "/users", { token: key, json: { uid: "unnamed", name: "" } })).status, 200);
});
