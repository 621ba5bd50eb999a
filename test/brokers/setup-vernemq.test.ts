// `parley broker setup vernemq` against a server that answers as VerneMQ's HTTP API does.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "@parley/testkit";
import { vernemqSetup } from "../../packages/cli/src/broker/setup/vernemq.ts";
import { adminApi, hookSecret, type Outcome, runBroker, secretFile, setUpHere } from "./parley.ts";
import { startVernemqApi, type VernemqState } from "./vernemq-api.ts";

const hooks = "http://hooks.test:8090";
const own = `${hooks}/vernemq/${hookSecret}`;

async function prepare(t: TestContext, change?: (state: VernemqState) => void) {
  const api = await startVernemqApi(t, change);
  const setup = (check?: "--check"): Promise<Outcome> =>
    setUpHere(vernemqSetup(adminApi(api.url, "VerneMQ", `${api.key}:`), { hooks, hookSecret }), check !== undefined);
  return { ...api, setup };
}

/** What only vernemq.conf can say, as deploy/vernemq/vernemq.conf says it. */
function withFile(state: VernemqState): void {
  state.config.topic_max_depth = 20;
  for (const one of state.listeners) if (one.type === "mqtt") one.allowed_protocol_versions = [4, 5];
}

test("a VerneMQ with the file's listeners is configured in one run, and a second one changes nothing", async (t) => {
  const vernemq = await prepare(t, withFile);
  const before = await vernemq.setup("--check");
  assert.equal(before.code, 1);
  assert.match(before.err, /✖ OPEN plugins\.vmq_acl: it is on and should be off\. The file of rules/);
  assert.match(before.err, /✖ OPEN plugins\.vmq_webhooks: it is off and should be on/);
  assert.match(before.err, /parley: this VerneMQ is open/);
  assert.deepEqual(vernemq.changes, []);

  const first = await vernemq.setup();
  assert.equal(first.code, 0, first.err);
  const { state } = vernemq;
  assert.deepEqual([...state.plugins], ["vmq_webhooks"]);
  assert.equal(state.config.max_message_size, 1_048_576);
  assert.equal(state.config.persistent_client_expiration, 86_400);
  const at = (hook: string) => state.webhooks.find((one) => one.hook === hook);
  assert.equal(at("auth_on_register")?.endpoint, `${own}/register`);
  assert.equal(at("auth_on_register_m5")?.endpoint, `${own}/register`);
  assert.deepEqual([at("auth_on_publish_m5")?.endpoint, at("auth_on_publish_m5")?.noPayload], [own, true]);
  assert.equal(at("on_session_expired")?.endpoint, own);
  assert.equal(state.webhooks.length, 10);
  assert.match(first.err, /what was set over the API is gone when a node starts again/);

  vernemq.changes.length = 0;
  const second = await vernemq.setup();
  assert.deepEqual([second.code, vernemq.changes], [0, []], second.err);
  assert.match(second.err, /nothing to change/);
  for (const { out, err } of [before, first, second]) assert.ok(!`${out}${err}`.includes(hookSecret));
});

test("what only its file can say is named and left to the operator", async (t) => {
  const vernemq = await prepare(t);
  const { code, err } = await vernemq.setup();
  assert.equal(code, 1);
  assert.match(err, /✖ topic_max_depth: it is 10 and should be 20/);
  assert.match(
    err,
    /✖ listener mqtt 0\.0\.0\.0:1883, allowed_protocol_versions: it is 3,4,5,131 and should be 4,5 in vernemq\.conf\. .*MQTT 3\.1 is not spoken/,
  );
  assert.match(err, /parley: 2 settings are not as Parley needs: that has to be done by hand$/);
});

test("a setting that differs later is named and mended", async (t) => {
  const vernemq = await prepare(t, withFile);
  await vernemq.setup();
  const broken: [RegExp, (state: VernemqState) => unknown][] = [
    [
      /✖ OPEN allow_anonymous: it is true and should be off\. Nobody is let in/,
      ({ config }) => (config.allow_anonymous = true),
    ],
    [
      /✖ max_message_size: it is 262144 and should be 1048576\. Bytes of one packet/,
      ({ config }) => (config.max_message_size = 262144),
    ],
    [
      /✖ persistent_client_expiration: it is 0 and should be 1d/,
      ({ config }) => (config.persistent_client_expiration = 0),
    ],
    [/✖ OPEN plugins\.vmq_passwd: it is on and should be off/, ({ plugins }) => plugins.add("vmq_passwd")],
    [
      /✖ webhooks auth_on_publish: it does not ask auth-webhook with the hooks' secret/,
      (state) => (state.webhooks = state.webhooks.filter(({ hook }) => hook !== "auth_on_publish")),
    ],
    [
      /✖ webhooks on_client_gone: it shows auth-webhook another secret as well/,
      ({ webhooks }) =>
        webhooks.push({ hook: "on_client_gone", endpoint: `${hooks}/vernemq/an-old-secret`, noPayload: false }),
    ],
  ];
  for (const [told, breaks] of broken)
    await t.test(String(told), async () => {
      breaks(vernemq.state);
      const { code, err } = await vernemq.setup("--check");
      assert.equal(code, 1);
      assert.match(err, told);
      assert.ok(!err.includes("an-old-secret"));
      assert.equal((await vernemq.setup()).code, 0);
      assert.equal((await vernemq.setup("--check")).code, 0);
    });
});

test("what lets anybody in and is somebody else's is refused, and left alone", async (t) => {
  const doors: [RegExp, (state: VernemqState) => unknown][] = [
    [
      /OPEN listener mqtt 0\.0\.0\.0:1883, allow_anonymous_override: it is on/,
      ({ listeners }) => Object.assign(listeners[0] as object, { allow_anonymous_override: true }),
    ],
    [/OPEN plugins\.vmq_diversity: its scripts are asked/, ({ plugins }) => plugins.add("vmq_diversity")],
    [
      /OPEN webhooks auth_on_register: it asks http:\/\/other\.test:1 too/,
      ({ plugins, webhooks }) =>
        plugins.add("vmq_webhooks") &&
        webhooks.push({ hook: "auth_on_register", endpoint: "http://other.test:1/their-secret", noPayload: false }),
    ],
  ];
  for (const [told, opens] of doors)
    await t.test(String(told), async (inner) => {
      const vernemq = await prepare(inner, (state) => {
        withFile(state);
        opens(state);
      });
      const { code, err } = await vernemq.setup();
      assert.equal(code, 1, err);
      assert.match(err, told);
      assert.match(err, /parley: this VerneMQ is open/);
      assert.ok(!err.includes("their-secret"));
    });
});

test("a VerneMQ that is too old, a wrong key and a refused command are told in one line", async (t) => {
  const old = await prepare(t, (state) => (state.version = "2.1.2"));
  const told = await old.setup();
  assert.deepEqual([told.code, old.changes], [1, []]);
  assert.match(
    told.err,
    /^parley: this is VerneMQ 2\.1\.2; Parley needs 2\.2\.0 or newer: a take-over of a session could hang before it$/,
  );
  const vernemq = await prepare(t);
  const [wrong, secret] = [await secretFile(t, "wrong"), await secretFile(t, hookSecret)];
  const rest = ["--hooks", hooks, "--hook-secret-file", secret, "--key-file", wrong];
  const { code, err } = await runBroker(["setup", "vernemq", vernemq.url, ...rest]);
  assert.equal(code, 3);
  assert.match(err.trim().split("\n").at(-1) ?? "", /^parley: VerneMQ at .* does not take the key of --key-file$/);
});
