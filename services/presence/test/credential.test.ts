// With what a device's connection was made, as push asks before it keeps a token that ends with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionCredential, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { type Presence, startOne } from "./start.ts";

function ask({ nats }: Presence, clientId: unknown): Promise<ConnectionCredential> {
  return requestJson(nats, subjects.connectionCredential, { clientId }, { timeoutMs: 5_000 });
}

test("push is told with what a connection was made, while it lasts, and whose device it is beyond that", async (t) => {
  const presence = await startOne(t);
  const made = { issuedAt: 100, passwordSince: 7, family: "f".repeat(32) };
  const at = Date.now();
  await presence.connect("alice:phone", { at, credential: "token", ...made });
  assert.deepEqual(await ask(presence, "alice:phone"), { uid: "alice", known: true, connection: { at, ...made } });
  await presence.session("gone", "alice:phone", Date.now() + 1);
  await eventually(async () => (await ask(presence, "alice:phone")).connection === undefined);
  await eventually(async () => (await ask(presence, "alice:phone")).known === true);
  assert.deepEqual(await ask(presence, "alice:phone"), { uid: "alice", known: true });
});

test("a device that never came is nobody's, or at best whose name it has", async (t) => {
  const presence = await startOne(t);
  presence.users.add("alice");
  assert.deepEqual(await ask(presence, "alice:tablet"), { uid: "alice" });
  assert.deepEqual(await ask(presence, "a stranger"), {});
  await assert.rejects(ask(presence, ""), { code: "invalid_packet" });
});

test("of a device with a tree the account it is connected as is told, and of a guest nobody", async (t) => {
  const presence = await startOne(t);
  const tree = { owner: "user", persistent: true, dialect: "chat" };
  await presence.connect("emqttd_1", { uid: "ann", at: Date.now(), passwordSince: 3, tree });
  const { uid, connection } = await ask(presence, "emqttd_1");
  assert.deepEqual([uid, connection?.passwordSince], ["ann", 3]);
  await presence.connect("guest-1", { uid: "gus", at: Date.now(), tree: { owner: "guest", persistent: false } });
  assert.deepEqual(await ask(presence, "guest-1"), {});
});
