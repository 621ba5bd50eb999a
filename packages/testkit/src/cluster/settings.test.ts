import assert from "node:assert/strict";
import { test } from "node:test";
import { readClusterSettings } from "./settings.ts";

test("the defaults are those of the documentation", () => {
  const { dir, ports, replicas, storeUrl } = readClusterSettings({});
  assert.deepEqual(ports, { http: 8080, mqtt: 1883, ws: 8083 });
  assert.deepEqual(replicas, {});
  assert.equal(storeUrl, `sqlite:${dir}/data`);
});

test("replicas are read as part=number", () => {
  const { replicas } = readClusterSettings({ PARLEY_REPLICAS: "router=2, auth-webhook=3" });
  assert.deepEqual(replicas, { router: 2, "auth-webhook": 3 });
});

test("every wrong setting is named with its value and what is right", () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ PARLEY_HTTP_PORT: "http" }, /PARLEY_HTTP_PORT is "http"; a port is a number/],
    [{ PARLEY_MQTT_PORT: "70000" }, /PARLEY_MQTT_PORT is "70000"/],
    [{ PARLEY_WS_PORT: "-1" }, /PARLEY_WS_PORT is "-1"/],
    [{ PARLEY_HTTP_PRT: "80" }, /PARLEY_HTTP_PRT is not a setting of npm start \(did you mean PARLEY_HTTP_PORT\?\)/],
    [{ PARLEY_REPLICA: "router=2" }, /did you mean PARLEY_REPLICAS\?/],
    [{ PARLEY_REPLICAS: "mosquitto=2" }, /"mosquitto" is not a service; one of history/],
    [{ PARLEY_REPLICAS: "router" }, /"router" is not router=1/],
    [{ PARLEY_REPLICAS: "router=0" }, /"router=0" is not router=1/],
    [{ PARLEY_REPLICAS: "router=2=3" }, /"router=2=3" is not router=1/],
    [{ PARLEY_REPLICAS: "api=2" }, /api=2 is not possible on SQLite/],
    [{ PARLEY_REPLICAS: "all=2" }, /history=2 is not possible on SQLite, where history's file belongs to one process/],
    [{ PARLEY_REPLICAS: "all=2,history=1,presence=1,search=1,push=1" }, /api=2 is not possible on SQLite/],
  ];
  for (const [env, message] of wrong) assert.throws(() => readClusterSettings(env), { name: "SetupError", message });
});

test("what others read, or do not resemble a setting, may be set", () => {
  for (const name of ["SECRETS", "LOG_LEVEL", "INSTANCE", "HEALTH_HOST", "BROKER_URL", "CRASH_AT", "PARENT_PIPE"])
    readClusterSettings({ [`PARLEY_${name}`]: "x" });
  for (const name of ["URL", "USER", "PASSWORD", "KEEP", "VERSION"]) readClusterSettings({ [`PARLEY_${name}`]: "x" });
});

test("parts with a store may have replicas on MongoDB", () => {
  const env = { PARLEY_REPLICAS: "history=2", STORE_URL: "mongodb://127.0.0.1/parley" };
  assert.deepEqual(readClusterSettings(env).replicas, { history: 2 });
  assert.deepEqual(readClusterSettings({ ...env, PARLEY_REPLICAS: "all=2" }).replicas, { all: 2 });
});
