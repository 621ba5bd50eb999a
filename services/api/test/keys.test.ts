import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { password, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { API_REGISTER: "false" });
const operator = api.secrets.servicesSecret;

async function createKey(name: string): Promise<{ id: string; key: string }> {
  const { status, body } = await api.call("POST", "/keys", { token: operator, json: { name } });
  assert.equal(status, 200);
  return body;
}

test("where registration is off nobody registers", async () => {
  const { status, body } = await api.call("POST", "/register", { json: { username: "eve", password } });
  assert.deepEqual([status, body.error.code], [403, "forbidden"]);
});

test("an application makes users and logs them in with its key", async () => {
  const { key } = await createKey("shop");
  assert.match(key, /^pk_/);
  assert.equal((await api.call("POST", "/users", { token: key, json: { uid: "alice" } })).status, 200);
  assert.equal((await api.call("POST", "/users", { token: key, json: { uid: "alice" } })).body.error.code, "conflict");
  const session = await api.call("POST", "/users/alice/login", { token: key, json: { device: "web" } });
  assert.equal(session.body.clientId, "alice:web");
  const unknown = await api.call("POST", "/users/nobody/login", { token: key, json: {} });
  assert.deepEqual([unknown.status, unknown.body.error.code], [404, "not_found"]);
  const empty = await api.call("POST", "/login", { json: { username: "alice", password: "" } });
  assert.equal(empty.status, 401);
});

test("keys are listed without their secret, removed ones are refused", async () => {
  const { id, key } = await createKey("gone");
  const listed = await api.call("GET", "/keys", { token: operator });
  assert.ok(listed.body.keys.some((one: { id: string }) => one.id === id));
  assert.ok(!JSON.stringify(listed.body).includes(key));
  assert.equal((await api.call("DELETE", `/keys/${id}`, { token: operator })).status, 200);
  assert.equal((await api.call("DELETE", `/keys/${id}`, { token: operator })).status, 404);
  assert.equal((await api.call("POST", "/users", { token: key, json: { uid: "x1" } })).status, 401);
});

test("a key made with an Idempotency-Key and asked for again is the same key", async () => {
  const headers = { "idempotency-key": "key-1" };
  const [first, again] = [
    await api.call("POST", "/keys", { token: operator, json: { name: "twice" }, headers }),
    await api.call("POST", "/keys", { token: operator, json: { name: "twice" }, headers }),
  ];
  assert.equal(first.status, 200);
  assert.deepEqual(again.body, first.body);
});

test("users, keys and the operator each reach only their own methods", async () => {
  const { key } = await createKey("limits");
  await api.call("POST", "/users", { token: key, json: { uid: "bob", password } });
  const { token } = await api.logIn("bob");
  const forbidden = async (verb: string, path: string, credential: string, json?: object) => {
    const { status, body } = await api.call(verb, path, { token: credential, ...(json ? { json } : {}) });
    assert.deepEqual([status, body.error?.code], [403, "forbidden"], `${verb} ${path}`);
  };
  await forbidden("GET", "/keys", token);
  await forbidden("GET", "/keys", key);
  await forbidden("POST", "/users", token, { uid: "x2" });
  await forbidden("POST", "/users", operator, { uid: "x2" });
  await forbidden("GET", "/rooms", key);
  await forbidden("GET", "/rooms", operator);
  const almost = `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`;
  assert.equal((await api.call("POST", "/users", { token: almost, json: { uid: "x2" } })).status, 401);
});

test("no key, password or token stands readable in the store or the log", async () => {
  const { key } = await createKey("secret");
  const secret = "a very particular password";
  const headers = { "idempotency-key": "user-1" };
  await api.call("POST", "/users", { token: key, json: { uid: "carla", password: secret }, headers });
  const { body } = await api.call("POST", "/login", { json: { username: "carla", password: secret } });
  const folder = join(api.folder, "data", "api");
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  assert.ok(files.length > 0);
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name), "latin1");
    for (const hidden of [key, secret, body.refreshToken]) assert.ok(!bytes.includes(hidden), name);
  }
  const logged = JSON.stringify(api.lines);
  for (const hidden of [key, secret, body.token, body.refreshToken]) assert.ok(!logged.includes(hidden));
});
