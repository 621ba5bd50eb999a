import assert from "node:assert/strict";
import { test } from "node:test";
import { operationsTables, readOperations } from "./operations.ts";

test("the tables of docs/operations.md are those of the code (else: node test/documents/write-operations.ts)", () => {
  const { written, wanted } = readOperations();
  assert.equal(written, wanted);
});

test("they name every service, setting, secret and the metrics that fill up", () => {
  const { ports = "", shared = "", settings = "", secrets = "", metrics = "" } = operationsTables();
  assert.match(ports, /edge \| `EDGE_MQTT_PORT` \| 1883/);
  assert.match(shared, /`NATS_URL` .*history/);
  for (const service of ["edge", "auth-webhook", "router", "history", "presence", "search", "push", "api"])
    assert.match(settings, new RegExp(`^### ${service}$`, "m"));
  assert.match(secrets, /`nats-secret`/);
  for (const name of ["router_unconfirmed", "router_queued_bytes", "history_unannounced", "edge_connections"])
    assert.match(metrics, new RegExp(`\`parley_${name}\``));
});
