// deploy/emqx and deploy/vernemq by themselves: every setting is one that the broker has, says why it is so, and holds no secret.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { emqxSettings, vernemqSettings } from "../../packages/cli/src/broker/settings/files.ts";
import { readHocon } from "../../packages/cli/src/broker/settings/hocon.ts";
import { readVernemqConf } from "../../packages/cli/src/broker/settings/vernemq-conf.ts";
import { knownSettings, leavesOf } from "./known.ts";

const deploy = new URL("../../deploy/", import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, deploy), "utf8");

test("every setting of deploy/emqx/emqx.conf is one of EMQX 5.8.9", () => {
  const known = knownSettings("emqx-5.8.9.txt");
  const names = leavesOf(emqxSettings().tree, "");
  assert.ok(names.length > 100);
  assert.deepEqual(
    names.filter((name) => !known(name)),
    [],
  );
});

test("every setting of deploy/vernemq/vernemq.conf is one of VerneMQ 2.2.0, those to be switched on too", () => {
  const known = knownSettings("vernemq-2.2.0.txt");
  const text = textOf("vernemq/vernemq.conf");
  const offered = text.replaceAll(/^# (listener\.)/gm, "$1");
  const [settings, all] = [readVernemqConf(text), readVernemqConf(offered)];
  assert.ok(settings.length > 50 && all.length >= settings.length + 12);
  assert.deepEqual(
    all.map(({ name }) => name).filter((name) => !known(name)),
    [],
  );
});

test("what is none is found to be none", () => {
  const [emqx, vernemq] = [knownSettings("emqx-5.8.9.txt"), knownSettings("vernemq-2.2.0.txt")];
  for (const name of [
    "mqtt.max_paket_size",
    "authorization.no_mach",
    "listeners.tcp.default.mount",
    "authentication[].urls",
  ])
    assert.ok(!emqx(name), name);
  for (const name of ["allow_anonymus", "vmq_webhooks.a.hok", "listener.tcp.a.b.c"]) assert.ok(!vernemq(name), name);
});

test("every setting says why it is so", () => {
  for (const { name, why } of [...emqxSettings().settings, ...vernemqSettings()])
    assert.match(why, /\w+ \w+ \w+/, name);
});

test("no secret is in the files: each is a word in its place, or a file", () => {
  const secret = /^(.*\.)?(cookie|password|secret|authorization|default_password|distributed_cookie|endpoint)$/;
  const found = [...emqxSettings().settings, ...vernemqSettings()].filter(
    ({ name }) => secret.test(name) && !name.includes(".body."),
  );
  assert.equal(found.length, 13);
  for (const { name, value } of found)
    assert.match(String(value), /^(Bearer HOOK-SECRET|\$\(<\/run\/secrets\/[\w-]+\))$/, name);
});

test("a file that cannot be read is told with its line", () => {
  const emqx: [string, RegExp][] = [
    ["a {\n  b = 1\n", /line 3: \} is missing/],
    ["a = 1\na = 2", /line 2: a stands twice/],
    ["a\n", /line 1: a has no value/],
    ["a = 1\n}", /line 2: \} is one too many/],
    ['a = "b\n', /line 1: a " is missing/],
    ["a = [1, 2", /line 1: a has no \]/],
  ];
  for (const [text, told] of emqx) assert.throws(() => readHocon(text), told, text);
  assert.throws(() => readVernemqConf("a = b\nc\n"), /line 2: name = value is expected/);
  assert.throws(() => readVernemqConf("a = b\na = c\n"), /line 2: a stands twice/);
});
