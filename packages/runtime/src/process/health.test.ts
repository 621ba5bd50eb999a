import assert from "node:assert/strict";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { eventually } from "@parley/testkit";
import { createHealth, pauseWhileWaiting, startHealthServer, watchCheck } from "./health.ts";
import { counter, createMetrics, gauge, histogram } from "./metrics.ts";

async function startOn(t: TestContext) {
  const health = createHealth();
  const metrics = createMetrics("demo");
  const server = await startHealthServer({ health, metrics, host: "127.0.0.1", port: 0 });
  t.after(() => server.close());
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  return { health, metrics, server, get };
}

test("what is asked again and again is a reason while it rejects, and none when it resolves", async (t) => {
  const health = createHealth();
  let fault: Error | undefined = new Error("no primary");
  const watch = watchCheck(health, "store", async () => {
    if (fault) throw fault;
  });
  t.after(() => watch.close());
  assert.deepEqual(health.reasons(), { store: "not asked yet" });
  await eventually(() => health.reasons().store === "no primary");
  fault = undefined;
  await eventually(() => Object.keys(health.reasons()).length === 0);
});

test("what is waited for is asked for often at first, and the less often the longer it takes", () => {
  const pauses = [0, 300, 1_000, 10_000, 60_000].map((waitedMs) => pauseWhileWaiting(waitedMs, 2_000));
  assert.deepEqual(pauses, [50, 50, 100, 1_000, 2_000]);
});

test("ready is 503 with each reason until every check is true; live is 200 all the while", async (t) => {
  const { health, get } = await startOn(t);
  let nats: true | string = "not connected";
  health.check("nats", () => nats);
  health.check("store", () => true);
  health.check("broken", () => {
    throw new Error("oh");
  });
  assert.deepEqual(JSON.parse((await get("/health/ready")).text), {
    ready: false,
    reasons: { nats: "not connected", broken: "the check failed: Error: oh" },
  });
  assert.equal((await get("/health/ready")).status, 503);
  assert.equal((await get("/health/live")).status, 200);
  nats = true;
  health.check("broken", () => true);
  assert.deepEqual(await get("/health/ready?x=1"), { status: 200, text: '{"ready":true}\n' });
});

test("metrics show Node's figures and the service's own, labelled with the service", async (t) => {
  const { metrics, get } = await startOn(t);
  const packets = counter(metrics, "packets_total", "packets taken", ["outcome"]);
  packets.inc({ outcome: "stored" }, 3);
  gauge(metrics, "held_leases", "leases held", () => 7);
  histogram(metrics, "append_seconds", "time of one append").observe(0.002);
  const { status, text } = await get("/metrics");
  assert.equal(status, 200);
  assert.match(text, /^parley_packets_total\{outcome="stored",service="demo"\} 3$/m);
  assert.match(text, /^parley_held_leases\{service="demo"\} 7$/m);
  assert.match(text, /^parley_append_seconds_bucket\{le="0.0025",service="demo"\} 1$/m);
  assert.match(text, /^process_cpu_seconds_total/m);
});

test("a gauge with a label shows the values that there are now, and none of those that were before", async (t) => {
  const { metrics, get } = await startOn(t);
  let waiting = new Map([
    ["mail", 2],
    ["fax", 1],
  ]);
  gauge(metrics, "letters", "letters that wait", () => waiting, "way");
  const shown = async () => [...(await get("/metrics")).text.matchAll(/^parley_letters.*$/gm)].map(String);
  assert.deepEqual(await shown(), [
    'parley_letters{way="mail",service="demo"} 2',
    'parley_letters{way="fax",service="demo"} 1',
  ]);
  waiting = new Map([["mail", 3]]);
  assert.deepEqual(await shown(), ['parley_letters{way="mail",service="demo"} 3']);
});

test("any other path is a 404 that says what there is", async (t) => {
  const { get } = await startOn(t);
  const { status, text } = await get("/");
  assert.equal(status, 404);
  assert.match(text, /health\/ready/);
});

test("a taken port is the system's error, not a crash", async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const starting = startHealthServer({
    health: createHealth(),
    metrics: createMetrics("demo"),
    host: "127.0.0.1",
    port,
  });
  await assert.rejects(starting, { code: "EADDRINUSE" });
});
