// Two auth-webhooks on one NATS and one Redis, and what a broker with names for its connections tells and asks.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type ConnectedReply, type SessionEvent, subjects } from "@parley/protocol";
import { answerJson } from "@parley/runtime";
import { eventually, serviceContext } from "@parley/testkit";
import { exp, startWebhook, type Webhook } from "./start.ts";

const phone = { peer_addr: "192.0.2.1", peer_port: 1, client_id: "alice:phone", username: "alice" };

async function ask(webhook: Webhook, hook: string, body: object): Promise<string> {
  const { result } = (await webhook.vernemq(hook, body)).body as { result: string | { error: string } };
  return typeof result === "string" ? result : result.error;
}

const connect = async (webhook: Webhook, token: string) =>
  ask(webhook, "auth_on_register", { ...phone, password: token, clean_session: true });

const publish = (webhook: Webhook) =>
  ask(webhook, "auth_on_publish", {
    username: "alice",
    client_id: "alice:phone",
    topic: "im/up/0/alice/alice:phone/msg",
    qos: 1,
    payload: "",
    retain: false,
  });

/** The clock goes on from so much later. */
function passTime(t: TestContext, seconds: number): void {
  const now = Date.now;
  t.mock.method(Date, "now", () => now() + seconds * 1_000);
}

async function startTwo(t: Parameters<typeof startWebhook>[0]): Promise<[Webhook, Webhook]> {
  const one = await startWebhook(t);
  return [one, await startWebhook(t, {}, {}, one)];
}

test("a device that another replica let in again, with a newer token, is not taken for one whose token ended", async (t) => {
  const [one, other] = await startTwo(t);
  const ends = Math.floor(Date.now() / 1000) + 600;
  assert.equal(await connect(one, await one.token({ exp: ends })), "ok");
  assert.equal(await publish(one), "ok");
  passTime(t, 600);
  assert.equal(await publish(one), "not_allowed");
  await eventually(async () => (await publish(other)) === "not_allowed");
  assert.equal(await connect(other, await one.token({ exp: ends + 3600 })), "ok");
  await eventually(async () => (await publish(one)) === "ok");
  assert.equal(await publish(other), "ok");
});

test("after NATS was away no replica takes a device for expired that another may have let in meanwhile", async (t) => {
  const webhook = await startWebhook(t);
  const ends = Math.floor(Date.now() / 1000) + 600;
  assert.equal(await connect(webhook, await webhook.token({ exp: ends })), "ok");
  passTime(t, 600);
  assert.equal(await publish(webhook), "not_allowed");
  await webhook.natsServer.kill();
  await webhook.natsServer.start();
  await eventually(async () => (await publish(webhook)) === "ok");
});

test("a revocation holds at every replica, and one that was told while NATS was away is loaded when it is back", async (t) => {
  const [one, other] = await startTwo(t);
  const token = await one.token({ iat: 1 });
  one.nats.publish(subjects.revoked, JSON.stringify({ uid: "alice", clientId: "alice:web", before: 2, until: exp }));
  const web = { client_id: "alice:web", password: await one.token({ iat: 1, clientId: "alice:web" }) };
  for (const webhook of [one, other])
    await eventually(async () => (await ask(webhook, "auth_on_register", { ...phone, ...web })) === "not_allowed");
  assert.equal(await connect(one, token), "ok");
  await one.natsServer.kill();
  one.peers.revocations = [{ uid: "alice", before: 2, until: exp }];
  await one.natsServer.start();
  for (const webhook of [one, other]) await eventually(async () => (await connect(webhook, token)) === "not_allowed");
});

test("a connection that the broker names is named to presence, at its begin and at its end", async (t) => {
  const webhook = await startWebhook(t);
  const told: SessionEvent[] = [];
  webhook.nats.subscribe(subjects.sessionEvent, { callback: (_, message) => void told.push(message.json()) });
  await webhook.nats.flush();
  const named = { ...phone, password: await webhook.token(), connection_id: "c1" };
  assert.equal(await ask(webhook, "auth_on_register_m5", named), "ok");
  assert.equal(webhook.peers.asked.presence[0]?.connection, "c1");
  for (const [hook, event] of [
    ["on_client_wakeup", "connected"],
    ["on_client_gone", "gone"],
    ["on_client_offline", "offline"],
    ["on_session_expired", "expired"],
  ]) {
    await ask(webhook, hook as string, { mountpoint: "", client_id: "alice:phone", connection_id: "c1" });
    const last = await eventually(() => told.findLast((one) => one.event === event));
    assert.equal(last.connection, "c1");
  }
});

test("whether a device is connected anywhere is asked of presence; without its answer nobody knows", async (t) => {
  const webhook = await startWebhook(t);
  const isConnected = (clientId: string) => ask(webhook, "is_connected", { client_id: clientId });
  assert.equal(await isConnected("alice:phone"), "server_unavailable");
  const answering = answerJson<{ clientId: string }>(
    webhook.nats,
    subjects.deviceConnected,
    "presence",
    ({ clientId }): ConnectedReply => ({ connected: clientId === "alice:phone" }),
    serviceContext("presence").log,
  );
  t.after(() => answering.close());
  await webhook.nats.flush();
  assert.equal(await isConnected("alice:phone"), "connected");
  assert.equal(await isConnected("alice:web"), "ok");
});

test("more connects at once than are decided at once wait, then are told that the server is busy; one address takes half of the places", async (t) => {
  const held = Promise.withResolvers<{ ok: true }>();
  const env = { AUTH_WEBHOOK_CONNECTS_AT_ONCE: "2", AUTH_WEBHOOK_PRESENCE_TIMEOUT_MS: "4000" };
  const webhook = await startWebhook(t, env, { presence: () => held.promise as never });
  const token = await webhook.token();
  const from = (address: string) =>
    ask(webhook, "auth_on_register", { ...phone, peer_addr: address, password: token, clean_session: true });
  // At once, so that the one that waits is told before the one that has the place has waited for presence in vain.
  const both = [from("192.0.2.1"), from("192.0.2.1")];
  assert.equal(await Promise.race(both), "server_busy");
  assert.equal(webhook.peers.asked.presence.length, 1);
  const other = from("192.0.2.2");
  await eventually(() => webhook.peers.asked.presence.length === 2);
  held.resolve({ ok: true });
  assert.deepEqual((await Promise.all([...both, other])).sort(), ["ok", "ok", "server_busy"]);
  assert.equal(await from("192.0.2.1"), "ok");
});
