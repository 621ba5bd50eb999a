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
      assert.match(body.error.message, /^name must be without control characters/);
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

test("a user's or a room's name that shows nothing is refused at every door, and nothing is made", async () => {
  for (const [n, name] of [" ", "\u3000 \u00a0", "\u200b\u2060", "\u2800\u3164"].entries()) {
    const asked = [
      await api.call("POST", "/register", { json: { username: `blank${n}`, password, name } }),
      await api.call("POST", "/users", { token: key, json: { uid: `blank${n}`, name } }),
      await api.call("POST", "/accounts", { token, json: { uid: `blank${n}`, name } }),
      await api.call("POST", "/rooms", { token, json: { id: `blank${n}`, name } }),
      await api.call("PUT", "/profile", { token, json: { name } }),
    ];
    for (const { status, body } of asked) {
      assert.deepEqual([status, body.error?.code], [400, "invalid_packet"], JSON.stringify([name, body]));
      assert.equal(body.error.message, "name must be without control characters, and not only of blanks");
    }
    assert.equal((await api.call("GET", `/users/blank${n}`, { token })).status, 404);
  }
});

test("a name may have any other character, as many as before", async () => {
  const name = "Ünï – 表\u00a0".padEnd(128, "😀");
  const { status, body } = await api.call("POST", "/rooms", { token, json: { name } });
  assert.deepEqual([status, body.name], [200, name]);
  for (const wrong of ["", "x".repeat(129)])
    assert.equal((await api.call("POST", "/rooms", { token, json: { name: wrong } })).status, 400);
  assert.equal((await api.call("POST", "/users", { token: key, json: { uid: "unnamed", name: "" } })).status, 200);
});

test("a room's description and a note about a contact may have several lines; a text of one line may not", async () => {
  const text = "first\n\n\t- second 😀";
  const room = (fields: object) => api.call("PUT", "/rooms/lines", { token, json: fields });
  await api.user("bob");
  assert.equal(
    (await api.call("POST", "/rooms", { token, json: { id: "lines", name: "L", description: text } })).status,
    200,
  );
  assert.equal((await room({ description: `${text}\n` })).status, 200);
  assert.equal((await api.call("GET", "/rooms/lines", { token })).body.description, `${text}\n`);
  assert.equal((await api.call("POST", "/roster", { token, json: { id: "bob", note: text } })).status, 200);
  const { contacts } = (await api.call("GET", "/roster", { token })).body;
  assert.equal(contacts[0].note, text);
  const note = (fields: object) => api.call("PUT", "/roster/bob", { token, json: fields });
  const profile = (fields: object) => api.call("PUT", "/profile", { token, json: fields });
  for (const control of controls.filter((one) => one !== "\n")) {
    for (const { status, body } of [
      await room({ description: `a${control}b` }),
      await note({ note: `a${control}b` }),
    ]) {
      assert.deepEqual([status, body.error?.code], [400, "invalid_packet"]);
      assert.match(body.error.message, /^(description|note) must be without control characters but new lines and tabs/);
    }
  }
  const lines = { topic: room, group: room, nick: note, status: profile };
  for (const [field, change] of Object.entries(lines)) {
    const { status, body } = await change({ [field]: "a\nb" });
    assert.deepEqual([status, body.error?.message], [400, `${field} must be without control characters`]);
  }
});
