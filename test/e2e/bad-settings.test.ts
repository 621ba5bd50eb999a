// Settings that are wrong: the service does not start, and one line names the key and the reason, never a secret.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runService, runStart, type ServiceName, serviceNames } from "./process-end.ts";

interface Bad {
  env: Record<string, string>;
  /** each must be in the one line */
  says: RegExp[];
}

const secret = "s3cr3t-in-a-value";
const withSecret = (scheme: string) => `${scheme}//user:${secret}@127.0.0.1`;

// One wrong key of the service's own, one unknown one, and an address that holds a password.
const bad: Record<ServiceName, Bad> = {
  history: {
    env: { HISTORY_CONVERSATIONS: "many", HISTORY_FOLDMS: "1", STORE_URL: withSecret("mysql:") },
    says: [/HISTORY_CONVERSATIONS .*many/, /HISTORY_FOLDMS is not a setting.*HISTORY_FOLD_MS/, /STORE_URL .*sqlite:/],
  },
  presence: {
    env: { PRESENCE_BROKER: "hivemq", PRESENCE_WAIT: "1", REDIS_URL: withSecret("http:") },
    says: [/PRESENCE_BROKER .*edge, emqx or vernemq/, /PRESENCE_WAIT is not a setting/, /REDIS_URL .*redis:/],
  },
  search: {
    env: { SEARCH_READABLE_MS: "soon", SEARCH_READABLES_MS: "1", NATS_URL: withSecret("http:") },
    says: [/SEARCH_READABLE_MS .*soon/, /SEARCH_READABLES_MS is not .*SEARCH_READABLE_MS\b/, /NATS_URL .*nats:/],
  },
  push: {
    env: { PUSH_HEALTH_PORT: "health", PUSH_HEALTH_PORTS: "1", STORE_URL: withSecret("mysql:") },
    says: [/PUSH_HEALTH_PORT .*health/, /PUSH_HEALTH_PORTS is not .*PUSH_HEALTH_PORT\b/, /STORE_URL .*mongodb:/],
  },
  "auth-webhook": {
    env: { AUTH_WEBHOOK_TOKEN_ALG: "none", AUTH_WEBHOOK_PORTS: "1", NATS_URL: withSecret("http:") },
    says: [/AUTH_WEBHOOK_TOKEN_ALG .*HS256/, /AUTH_WEBHOOK_PORTS is not .*AUTH_WEBHOOK_PORT\b/, /NATS_URL .*nats:/],
  },
  api: {
    env: { API_PORT: "99999", API_REGISTERS: "true", STORE_URL: withSecret("file:") },
    says: [/API_PORT .*65535/, /API_REGISTERS is not a setting.*API_REGISTER\b/, /STORE_URL /],
  },
  router: {
    env: { ROUTER_WINDOW: "0", ROUTER_WINDOWS: "5", PARLEY_BROKER_URL: withSecret("amqp:") },
    says: [/ROUTER_WINDOW .*1/, /ROUTER_WINDOWS is not a setting.*ROUTER_WINDOW\b/, /PARLEY_BROKER_URL .*mqtt:/],
  },
  edge: {
    env: { EDGE_MQTT_PORT: "1.5", EDGE_HOOK_URL: "x", PARLEY_LOG_LEVEL: "loud" },
    says: [/EDGE_MQTT_PORT .*1\.5/, /EDGE_HOOK_URL is not a setting.*EDGE_HOOKS_URL/, /PARLEY_LOG_LEVEL .*loud/],
  },
};

for (const service of serviceNames) {
  test(`${service} does not start with a wrong setting, and says which and why in one line`, async (t) => {
    const { code, stderr, stdout } = await runService(t, service, { env: bad[service].env });
    assert.equal(code, 78, stderr);
    assert.match(stderr, /^[^\n]+\n$/, "one line");
    assert.ok(stderr.startsWith(`${service}: `), stderr);
    for (const says of bad[service].says) assert.match(stderr, says);
    assert.doesNotMatch(stderr + stdout, new RegExp(secret));
  });

  test(`${service} --help prints its settings with their defaults; another argument is refused`, async (t) => {
    const help = await runService(t, service, { args: ["--help"] });
    assert.equal(help.code, 0);
    const keys = Object.keys(bad[service].env).filter((key) => help.stdout.includes(`  ${key} `));
    assert.ok(keys.length >= 2, `${help.stdout}: ${keys}`);
    assert.match(help.stdout, /_HEALTH_PORT +0 /);
    const refused = await runService(t, service, { args: ["--port", "1"] });
    assert.equal(refused.code, 64);
    assert.match(refused.stderr, /^[^\n]*unknown argument --port[^\n]*--help[^\n]*\n$/);
  });
}

const badRuns: [env: Record<string, string>, says: RegExp][] = [
  [{ PARLEY_REPLICAS: "history=2" }, /history=2 is not possible on SQLite.*STORE_URL=mongodb/],
  [{ PARLEY_REPLICAS: "nobody=2" }, /PARLEY_REPLICAS: "nobody" is not a service; one of .*router/],
  [{ PARLEY_REPLICAS: "router=lots" }, /PARLEY_REPLICAS: "router=lots"/],
  [{ PARLEY_MQTT_PORT: "abc" }, /PARLEY_MQTT_PORT is "abc"; a port is a number/],
  [{ PARLEY_HTTP_PORT: "70000" }, /PARLEY_HTTP_PORT is "70000"; a port is a number/],
];

for (const [env, says] of badRuns)
  test(`npm start refuses ${JSON.stringify(env)} in one line and starts nothing`, async (t) => {
    const { code, stderr, files } = await runStart(t, env);
    assert.equal(code, 1);
    assert.match(stderr, /^parley: [^\n]+\n$/);
    assert.match(stderr, says);
    assert.deepEqual(files, []);
  });
