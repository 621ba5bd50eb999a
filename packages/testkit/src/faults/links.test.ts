import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../processes/eventually.ts";
import { startTestCluster } from "../testing/start-test-cluster.ts";

const parts = ["nats-server", "redis-server", "api", "auth-webhook"] as const;

test("a replica whose link is cut is not ready and the other one is; both are when it passes", async (t) => {
  const cluster = await startTestCluster(t, { parts, links: true, replicas: { "auth-webhook": 2 } });
  const ready = async (index: number) => {
    const { health } = cluster.wiring.replicas["auth-webhook"][index]!;
    return (await fetch(`http://127.0.0.1:${health}/health/ready`)).status === 200;
  };
  cluster.link("auth-webhook", "nats", { index: 1 }).cut();
  await eventually(async () => !(await ready(1)));
  assert.equal(await ready(0), true);
  cluster.link("auth-webhook", "nats", { index: 1 }).pass();
  await cluster.waitReady("auth-webhook");
});

test("a link that is not there is named", async (t) => {
  const cluster = await startTestCluster(t, { parts: [], links: true });
  assert.throws(() => cluster.link("history", "store"), /history has no link to its store/);
  assert.throws(() => cluster.link("router", "nats", { index: 7 }), /no router with index 7/);
});

test("a service's clock goes where it is set while it runs", async (t) => {
  const cluster = await startTestCluster(t, { parts, clocks: true });
  if (!cluster.hasClocks) return t.skip("LIBFAKETIME IS NOT INSTALLED (apt: faketime): no clock can be set");
  const { hooks } = cluster.wiring.replicas["auth-webhook"][0]!;
  const clockOf = async () => Date.parse((await fetch(`http://127.0.0.1:${hooks}/`)).headers.get("date") ?? "");
  for (const hours of [1, -1, 0]) {
    cluster.setClock("auth-webhook", hours * 3_600_000);
    await eventually(async () => Math.abs((await clockOf()) - Date.now() - hours * 3_600_000) < 5_000);
  }
  assert.equal(cluster.restarts("auth-webhook"), 0);
});
