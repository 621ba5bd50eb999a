// A device that sends far more than it may, past any edge: what it is told, and that others are not held up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { eventually, startTestCluster } from "@parley/testkit";
import { connectDevice, text } from "./pairs.ts";

const parts = ["mosquitto", "redis-server", "nats-server", "history", "api", "router"] as const;

test("a flood is told a bounded number of refusals, with when to send again, and no other device waits for it", async (t) => {
  const cluster = await startTestCluster(t, { parts, env: { ROUTER_RATE: "10", ROUTER_BURST: "50" } });
  const clientId = "eve:a";
  const [eve, bob] = await Promise.all([connectDevice(t, cluster, clientId), connectDevice(t, cluster, "bob:a")]);
  const state = uplinkTopic({ p: ingestPartition(clientId), uid: "eve", clientId, verb: "state" });
  const sent = 3_000;
  for (let index = 0; index < sent; index++) {
    void eve.send(text(`f${index}`, "user/bob"));
    void eve.client.publishAsync(state, "{}", { qos: 0 });
  }
  await bob.send(text("honest", "user/bob"));
  await eventually(() => bob.answers.some(({ id, type }) => id === "honest" && type === "ack"));
  // The flood is through when a packet behind it is answered, which the rate allows in the end.
  for (let index = 0; !eve.answers.some(({ id }) => String(id).startsWith("behind")); index++) {
    await eve.send(text(`behind${index}`, "user/bob"));
    await eventually(() => eve.answers.length > 0);
  }
  const refusals = eve.answers.filter(({ type }) => type === "nack");
  assert.ok(eve.answers.length < sent, `${eve.answers.length} answers to ${2 * sent} packets`);
  assert.ok(refusals.length > 0);
  for (const { code, details } of refusals) {
    assert.equal(code, "rate_limited");
    assert.ok((details as { retryAfterMs: number }).retryAfterMs > 0);
  }
});
