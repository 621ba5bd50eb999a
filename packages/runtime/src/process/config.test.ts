import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { Type } from "typebox";
import { ConfigError, defineSettings, describeSettings, readConfig } from "./config.ts";

const settings = defineSettings({
  service: "router",
  prefix: "ROUTER",
  shared: ["NATS_URL", "STORE_URL"],
  own: {
    ROUTER_WINDOW: Type.Integer({
      default: 1000,
      minimum: 1,
      maximum: 1000,
      description: "unconfirmed packets (packets)",
    }),
    ROUTER_RATE: Type.Number({ default: 0.5, minimum: 0 }),
    ROUTER_STRICT: Type.Boolean({ default: true }),
    ROUTER_KEY: Type.Optional(Type.String({ minLength: 8, secret: true })),
    ROUTER_NAME: Type.Optional(Type.String()),
  },
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(settings, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test("without any variable every setting has its default, folders resolved against the working folder", () => {
  const config = readConfig(settings, {});
  assert.equal(config.ROUTER_WINDOW, 1000);
  assert.equal(config.ROUTER_STRICT, true);
  assert.equal(config.ROUTER_NAME, undefined);
  assert.equal(config.ROUTER_HEALTH_PORT, 0);
  assert.equal(config.NATS_URL, "nats://127.0.0.1:4222");
  assert.equal(config.PARLEY_DIR, resolve(".parley"));
  assert.equal(config.PARLEY_SECRETS, resolve(".parley/secrets"));
  assert.equal(config.STORE_URL, `sqlite:${resolve(".parley/data")}`);
});

test("values are converted to what the setting is, and PARLEY_DIR moves the folders below it", () => {
  const config = readConfig(settings, {
    ROUTER_WINDOW: "32",
    ROUTER_RATE: "1.25",
    ROUTER_STRICT: "0",
    PARLEY_DIR: "/data/parley",
    NATS_URL: "nats://user:word@nats:4222,nats://nats-2:4222",
  });
  assert.deepEqual([config.ROUTER_WINDOW, config.ROUTER_RATE, config.ROUTER_STRICT], [32, 1.25, false]);
  assert.equal(config.PARLEY_SECRETS, "/data/parley/secrets");
  assert.equal(config.STORE_URL, "sqlite:/data/parley/data");
});

test("only declared keys are read, and an empty value is no value", () => {
  const config = readConfig(settings, { REDIS_URL: "nonsense", PATH: "/bin", ROUTER_WINDOW: "", ROUTER_NAME: "" });
  assert.ok(!("REDIS_URL" in config) && !("PATH" in config) && !("ROUTER_NAME" in config));
  assert.equal(config.ROUTER_WINDOW, 1000);
});

for (const junk of ["1.5", "true", "0x10", "1e3", " 5", "5 ", "ten", "1_000", "99999999999999999999"]) {
  test(`ROUTER_WINDOW=${JSON.stringify(junk)} is refused, not made a number of`, () => {
    const [problem] = problemsOf({ ROUTER_WINDOW: junk });
    assert.match(problem ?? "", /^ROUTER_WINDOW must be integer, not /);
  });
}

test("a bad value is named with its key, the reason and the value", () => {
  assert.deepEqual(problemsOf({ ROUTER_WINDOW: "0" }), ['ROUTER_WINDOW must be >= 1, not "0"']);
  assert.deepEqual(problemsOf({ ROUTER_STRICT: "yes" }), ['ROUTER_STRICT must be boolean, not "yes"']);
  assert.match(
    problemsOf({ PARLEY_LOG_LEVEL: "loud" })[0] ?? "",
    /^PARLEY_LOG_LEVEL must be trace, debug, .*, not "loud"$/,
  );
});

test("the value of a secret is never in an error, an address with a password included", () => {
  const problems = problemsOf({ ROUTER_KEY: "hunter2", NATS_URL: "http://user:hunter2@nats", STORE_URL: "hunter2" });
  assert.equal(problems.length, 3);
  assert.doesNotMatch(problems.join(), /hunter2/);
  assert.match(problems.join("\n"), /^ROUTER_KEY must not have fewer than 8 characters$/m);
  assert.match(problems.join("\n"), /^NATS_URL must be an address like nats:/m);
});

test("an unknown key with the service's prefix stops the start and suggests the nearest known one", () => {
  assert.deepEqual(problemsOf({ ROUTER_WINDOWS: "10" }), [
    "ROUTER_WINDOWS is not a setting of router (did you mean ROUTER_WINDOW?)",
  ]);
  assert.deepEqual(problemsOf({ ROUTER_COMPLETELY_DIFFERENT_WORDS: "1" }), [
    "ROUTER_COMPLETELY_DIFFERENT_WORDS is not a setting of router",
  ]);
});

test("all problems are told at once", () => {
  assert.equal(problemsOf({ ROUTER_WINDOW: "0", ROUTER_RATE: "-1", ROUTER_X: "1" }).length, 3);
});

test("--help names every setting with default and description, and no value of the environment", () => {
  const table = describeSettings(settings);
  assert.match(table, /ROUTER_WINDOW +1000 +unconfirmed packets \(packets\)/);
  for (const key of Object.keys(settings.properties)) assert.ok(table.includes(key), key);
});

test("a trusted proxy that is no address stops the start, however it looks", () => {
  const behind = defineSettings({ service: "api", prefix: "API", shared: ["TRUSTED_PROXIES"], own: {} });
  for (const wrong of ["10.0.0.0/99", "1:2", "localhost", "10.0.0.1 10.0.0.2"])
    assert.throws(
      () => readConfig(behind, { TRUSTED_PROXIES: `127.0.0.1,${wrong}` }),
      (error) => error instanceof ConfigError && error.message.includes(wrong),
    );
  assert.equal(readConfig(behind, { TRUSTED_PROXIES: "10.0.0.0/8, ::1" }).TRUSTED_PROXIES, "10.0.0.0/8, ::1");
});
