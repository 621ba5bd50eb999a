import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "@parley/testkit";
import { Type } from "typebox";
import { defineSettings, readConfig } from "./config.ts";
import { readValue } from "./value-files.ts";

const settings = defineSettings({
  service: "router",
  prefix: "ROUTER",
  shared: ["NATS_URL"],
  own: { ROUTER_KEY: Type.Optional(Type.String({ secret: true })), ROUTER_NAME: Type.Optional(Type.String()) },
});

function fileWith(t: TestContext, text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "parley-value-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "value");
  writeFileSync(file, text);
  return file;
}

test("a secret setting is read from the file that its _FILE names, without the line break at the end", (t) => {
  const env = { NATS_URL_FILE: fileWith(t, "nats://router:word@nats:4222\n"), ROUTER_KEY_FILE: fileWith(t, "k e y") };
  const config = readConfig(settings, env);
  assert.equal(config.NATS_URL, "nats://router:word@nats:4222");
  assert.equal(config.ROUTER_KEY, "k e y");
});

test("a value and a file for one setting are refused, neither value shown", (t) => {
  const env = { ROUTER_KEY: "one-word", ROUTER_KEY_FILE: fileWith(t, "another-word") };
  const message = "ROUTER_KEY and ROUTER_KEY_FILE are both set: which one counts?";
  assert.throws(() => readConfig(settings, env), { name: "ConfigError", message });
});

test("a file that is not there or is empty stops the start with its path and the reason", (t) => {
  const gone = { name: "ConfigError", message: /^NATS_URL_FILE: cannot read \/no\/such: it is not there$/ };
  assert.throws(() => readConfig(settings, { NATS_URL_FILE: "/no/such" }), gone);
  const empty = fileWith(t, "\n");
  assert.throws(() => readConfig(settings, { NATS_URL_FILE: empty }), { message: `NATS_URL_FILE: ${empty} is empty` });
});

test("a file that may not be read is told as such", { skip: process.getuid?.() === 0 }, (t) => {
  const file = fileWith(t, "word");
  chmodSync(file, 0);
  assert.throws(() => readValue({ NATS_URL_FILE: file }, "NATS_URL"), /permission denied/);
});

test("what is in a file is checked as any value is, and is not shown when it is wrong", (t) => {
  const wrong = fileWith(t, "http://word");
  const message = "NATS_URL must be an address like nats://127.0.0.1:4222";
  assert.throws(() => readConfig(settings, { NATS_URL_FILE: wrong }), { name: "ConfigError", message });
});

test("a setting that is no secret has no file: its _FILE is an unknown setting", (t) => {
  const env = { ROUTER_NAME_FILE: fileWith(t, "name") };
  assert.throws(() => readConfig(settings, env), /ROUTER_NAME_FILE is not a setting of router/);
});
