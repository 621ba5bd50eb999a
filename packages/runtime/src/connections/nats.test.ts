import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { recordingLogger } from "../../test/recorder.ts";
import { createHealth } from "../process/health.ts";
import { connectNats, natsAddress, natsConnected, onNatsBack } from "./nats.ts";

async function natsOf(t: TestContext, url: string) {
  const recorder = recordingLogger();
  const health = createHealth();
  const nats = await connectNats({ url, name: "test", log: recorder.log, health });
  t.after(() => nats.close());
  return { nats, health, ...recorder };
}

test("a service started before NATS waits for it, says for what, and goes on when it is there", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  await server.kill();
  const { log, lines, events } = recordingLogger();
  const connecting = connectNats({ url: server.url, name: "test", log });
  const waiting = await eventually(() => lines.find(({ event }) => event === "waiting"));
  assert.equal(waiting.what, "nats");
  assert.ok(!JSON.stringify(lines).includes(server.password));
  await server.start();
  const nats = await connecting;
  t.after(() => nats.close());
  assert.deepEqual(events(), ["waiting", "found"]);
});

test("after a restart of NATS the connection and its subscriptions are back by themselves, and who asked is told", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { nats, health, events } = await natsOf(t, server.url);
  let heard = 0;
  nats.subscribe("news", { callback: () => void heard++ });
  let back = 0;
  onNatsBack(nats, () => void back++);
  await nats.flush();
  assert.deepEqual(health.reasons(), {});
  await server.kill();
  await eventually(() => !natsConnected(nats));
  assert.deepEqual(health.reasons(), { nats: "not connected" });
  await server.start();
  await eventually(() => natsConnected(nats));
  assert.deepEqual(health.reasons(), {});
  nats.publish("news");
  await eventually(() => heard === 1);
  assert.deepEqual(events(), ["nats_lost", "nats_reconnected"]);
  assert.equal(back, 1);
});

test("a NATS that stays away is tried again and again", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { nats } = await natsOf(t, server.url);
  let attempts = 0;
  const counting = (async () => {
    for await (const { type } of nats.status()) if (type === "reconnecting") attempts++;
  })();
  counting.catch(() => {});
  await server.kill();
  await eventually(() => attempts >= 4);
  await server.start();
  await eventually(() => natsConnected(nats));
});

test("after a restart of NATS the connection is back though the clock went back an hour meanwhile", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const now = Date.now;
  t.mock.method(Date, "now", () => now() + 3_600_000);
  const { nats } = await natsOf(t, server.url);
  t.mock.restoreAll();
  for (const _ of ["first", "second"]) {
    await server.kill();
    await eventually(() => !natsConnected(nats));
    await server.start();
    await eventually(() => natsConnected(nats));
  }
});

test("a NATS that hangs is found out by its silence", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { nats } = await natsOf(t, server.url);
  server.pause();
  t.after(() => server.resume());
  await eventually(() => !natsConnected(nats));
});

test("answers come to inboxes that begin with the user of the URL, where it has a password", () => {
  assert.equal(natsAddress("nats://router:word@nats:4222").inboxPrefix, "_INBOX.router");
  assert.equal(natsAddress("nats://nats:4222").inboxPrefix, undefined);
  assert.equal(natsAddress("nats://token@nats:4222").inboxPrefix, undefined);
  assert.equal(natsAddress("nats://a.%3E:word@nats:4222").inboxPrefix, undefined);
});
