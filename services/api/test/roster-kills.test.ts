// kill -9 of the real api between the steps of a block, of history while it is told, and a history of before it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { type Contact, type ContactsChanged, type Door, type NotifyRequest, subjects } from "@parley/protocol";
import { openStore } from "@parley/store";
import { eventually, type TestContext } from "@parley/testkit";
import { type ApiProcess, startApiProcess } from "./api-process.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password, startTestApi } from "./surroundings.ts";

const message = { id: "m", to: "user/alice", content: { type: "text", data: "x" } };

async function tokensOf(call: ApiProcess["call"]): Promise<{ alice: string; bob: string }> {
  const tokenOf = async (username: string) => {
    await call("POST", "/register", { json: { username, password } });
    return (await call("POST", "/login", { json: { username, password } })).body.token as string;
  };
  return { alice: await tokenOf("alice"), bob: await tokenOf("bob") };
}

const points = [
  ["before-relation", false],
  ["before-doors", true],
  ["before-told", true],
  ["before-relation-reply", true],
] as const;

async function startBoth(t: TestContext) {
  const api = await startApiProcess(t);
  startHistoryProcess(t, { natsServer: api.natsServer, redis: api.redis, folder: api.folder });
  return api;
}

for (const [point, isMade] of points)
  test(`a block that dies ${point} is ${isMade ? "finished" : "not begun"} when the next api serves, and again is the same`, async (t) => {
    const api = await startBoth(t);
    await api.start(point);
    const { alice, bob } = await tokensOf(api.call);
    const send = async (id: string) =>
      (await api.call("POST", "/messages", { token: bob, json: { ...message, id } })).status;
    await eventually(async () => (await send("first")) === 200);
    const block = { token: alice, headers: { "idempotency-key": "block" } };
    await assert.rejects(api.call("POST", "/roster/bob/block", block));
    assert.equal(await api.died(), "SIGKILL");
    await api.start();

    const listed = async () => (await api.call("GET", "/roster", { token: alice })).body.contacts;
    assert.equal((await listed()).length, isMade ? 1 : 0);
    // What was made before is told soon after the start, nobody need ask.
    if (isMade) await eventually(async () => (await send(randomUUID())) === 403);
    else assert.equal(await send("second"), 200);

    const again = await api.call("POST", "/roster/bob/block", block);
    assert.deepEqual([again.status, again.body.blocked], [200, true], JSON.stringify(again.body));
    assert.equal(await send("third"), 403);
    assert.deepEqual(await listed(), [again.body]);
  });

test("a block that history did not hear is not answered, and holds once history is back", async (t) => {
  const api = await startTestApi(t);
  const history = startHistoryProcess(t, api);
  const { alice, bob } = await tokensOf(api.call);
  const send = async (id: string) =>
    (await api.call("POST", "/messages", { token: bob, json: { ...message, id } })).status;
  await eventually(async () => (await send("first")) === 200);
  await history.kill();
  const asked = api.call("POST", "/roster/bob/block", { token: alice });
  await eventually(async () => (await api.call("GET", "/roster", { token: alice })).body.contacts.length === 1);
  history.start();
  const { status } = await asked;
  // Answered, or told that the outcome is not known; then it is finished without being asked again.
  assert.ok(status === 200 || status === 503, String(status));
  if (status === 200) assert.equal(await send("second"), 403);
  await eventually(async () => (await send(randomUUID())) === 403);
  assert.equal(await send("third"), 403);
});

test("a block that history's documents lost to an older backup holds again after a start", async (t) => {
  const api = await startTestApi(t);
  const history = startHistoryProcess(t, api);
  const { alice, bob } = await tokensOf(api.call);
  const send = async (id: string) =>
    (await api.call("POST", "/messages", { token: bob, json: { ...message, id } })).status;
  await eventually(async () => (await send("first")) === 200);
  assert.equal((await api.call("POST", "/roster/bob/block", { token: alice })).status, 200);
  await history.kill();
  const opened = await openStore(`sqlite:${api.folder}/data`, { service: "history" });
  const doors = await opened.documents().collection<Door>({ name: "doors" });
  for (const { key } of (await doors.find({ limit: 10 })).items) await doors.remove(key);
  await opened.close();
  history.start();
  await api.restart();
  await eventually(async () => (await send(randomUUID())) === 403);
});

test("that two are no longer each other's contact is told to presence, though api died before it could", async (t) => {
  const api = await startBoth(t);
  await api.start("before-doors:3");
  const { alice, bob } = await tokensOf(api.call);
  const changes: ContactsChanged[] = [];
  api.nats.subscribe(subjects.contactsChanged, {
    callback(_error, message) {
      changes.push(message.json());
      message.respond("{}");
    },
  });
  await api.nats.flush();
  const add = (token: string, id: string) => api.call("POST", "/roster", { token, json: { id } });
  await eventually(async () => (await add(alice, "bob")).status === 200);
  assert.equal((await add(bob, "alice")).status, 200);
  await assert.rejects(api.call("POST", "/roster/bob/block", { token: alice }));
  assert.equal(await api.died(), "SIGKILL");
  changes.length = 0;
  await api.start();
  await eventually(() => changes.length > 0);
  assert.deepEqual(changes[0], { uid: "alice", other: "bob", areContacts: false });
});

for (const point of ["before-entries", "before-contacts-told"] as const)
  test(`a changed profile is told to contacts, though api died ${point}`, async (t) => {
    const api = await startBoth(t);
    await api.start(point);
    const { alice, bob } = await tokensOf(api.call);
    const call = (token: string, path: string) => api.call("POST", `/roster/${path}`, { token });
    await eventually(async () => (await call(alice, "bob/request")).status === 200);
    assert.equal((await call(bob, "alice/confirm")).status, 200);
    const told: Contact[] = [];
    api.nats.subscribe(subjects.notify, {
      callback: (_error, message) => {
        const { uids, packet } = message.json<NotifyRequest & { packet: { contact: Contact } }>();
        if (uids?.[0] === "alice" && packet.contact.name === "Bob B") told.push(packet.contact);
      },
    });
    await api.nats.flush();
    await api.call("PUT", "/profile", { token: bob, json: { name: "Bob B" } });
    assert.equal(await api.died(), "SIGKILL");
    assert.equal(told.length, 0);
    await api.start();
    const contact = await eventually(() => told[0]);
    const { contacts } = (await api.call("GET", `/roster?since=${contact.changedAt}`, { token: alice })).body;
    assert.deepEqual(contacts, [contact]);
  });
