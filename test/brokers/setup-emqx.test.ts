// `parley broker setup emqx` against a server that answers as EMQX's HTTP API does.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { freePort, type TestContext } from "@parley/testkit";
import { emqxSetup } from "../../packages/cli/src/broker/setup/emqx.ts";
import { type EmqxState, startEmqxApi } from "./emqx-api.ts";
import { adminApi, hookSecret, type Outcome, runBroker, secretFile, setUpHere } from "./parley.ts";

const hooks = "http://hooks.test:8090";
/** What EMQX writes in its place is what authentication said. */
const mountpoint = `$\{client_attrs.mp}`;

async function prepare(t: TestContext, change?: (state: EmqxState) => void) {
  const api = await startEmqxApi(t, change);
  const setup = (...flags: ("--check" | "--write-secret")[]): Promise<Outcome> => {
    const target = { hooks, hookSecret, writeSecret: flags.includes("--write-secret") };
    return setUpHere(emqxSetup(adminApi(api.url, "EMQX", api.key), target), flags.includes("--check"));
  };
  return { ...api, setup };
}

/** Routers are connected, so the services' zone is seen. */
function connectRouter({ state }: { state: EmqxState }, queue: number, inflight = 1000): void {
  state.clients = [{ clientid: "router-p0", mqueue_max: queue, inflight_max: inflight }];
}

test("a fresh EMQX, which is open, is configured in one run", async (t) => {
  const emqx = await prepare(t);
  const before = await emqx.setup("--check");
  assert.equal(before.code, 1);
  assert.deepEqual(emqx.changes, []);
  assert.match(before.err, /✖ OPEN authorization\.no_match: it is "allow" and should be "deny"\. What no rule/);
  assert.match(before.err, /✖ OPEN authorization\.sources \(file\): a file of rules is asked/);
  assert.match(before.err, /✖ OPEN listeners\.tcp\.default\.mountpoint/);
  assert.match(before.err, /parley: this EMQX is open \(.*authentication\[\].*\): keep devices away/);

  const first = await emqx.setup();
  assert.equal(first.code, 0, first.err);
  const { state } = emqx;
  assert.equal(state.authorization.no_match, "deny");
  assert.equal(state.authorization.deny_action, "disconnect");
  assert.deepEqual(state.sources, []);
  const [authn] = state.authentication;
  assert.equal(authn?.url, `${hooks}/emqx/authn`);
  assert.deepEqual(authn?.headers, { "content-type": "application/json", authorization: `Bearer ${hookSecret}` });
  assert.equal(state.connectors["http:parley"]?.url, hooks);
  assert.deepEqual(state.rules.parley?.actions, ["http:parley"]);
  assert.equal(state.listeners["tcp:default"]?.mountpoint, mountpoint);
  assert.equal(state.listeners["tcp:services"]?.zone, "services");
  assert.deepEqual((state.zones.services as { mqtt: object }).mqtt, {
    max_inflight: 1000,
    max_mqueue_len: "infinity",
    upgrade_qos: true,
    max_packet_size: "1MB",
  });
  for (const id of ["ssl:default", "wss:default"]) assert.equal(state.listeners[id]?.enable, false, id);
  assert.equal(state.mqtt.shared_subscription, false);
  assert.deepEqual([state.retainer.enable, state.delayed.enable], [false, false]);
});

test("what the file does not name stays as it was", async (t) => {
  const emqx = await prepare(t, (state) => {
    state.mqtt.keepalive_multiplier = 2;
    state.rules.mine = { sql: 'SELECT * FROM "a"', actions: [], enable: true };
    state.listeners["tcp:default"] = { ...state.listeners["tcp:default"], bind: "0.0.0.0:2883" };
  });
  assert.equal((await emqx.setup()).code, 0);
  assert.equal(emqx.state.mqtt.keepalive_multiplier, 2);
  assert.ok(emqx.state.rules.mine);
  assert.equal(emqx.state.listeners["tcp:default"]?.bind, "0.0.0.0:2883");
});

test("a second run changes nothing, and with a router connected the services' zone is seen too", async (t) => {
  const emqx = await prepare(t);
  assert.equal((await emqx.setup()).code, 0);
  connectRouter(emqx, 0);
  emqx.changes.length = 0;
  const second = await emqx.setup();
  assert.equal(second.code, 0, second.err);
  assert.deepEqual(emqx.changes, []);
  assert.match(second.err, /nothing to change/);
  assert.match(second.out, / 0 wrong, 0 not seen/);
  await t.test("before a router connects it is written again, and nothing else", async () => {
    emqx.state.clients = [];
    assert.equal((await emqx.setup()).code, 0);
    assert.deepEqual(emqx.changes, ["PUT /configs"]);
  });
  await t.test("a router's session that was made before the zone is told", async () => {
    connectRouter(emqx, 1000);
    const third = await emqx.setup("--check");
    assert.equal(third.code, 1);
    assert.match(
      third.err,
      /zones\.services\.mqtt\.max_mqueue_len: it is 1000 and should be "infinity"\. .*before a router first connects/,
    );
  });
});

test("the hooks' secret is written again only when asked, and is never printed", async (t) => {
  const emqx = await prepare(t);
  const first = await emqx.setup();
  connectRouter(emqx, 0);
  const shown = () => (emqx.state.authentication[0] as { headers: { authorization: string } }).headers;
  shown().authorization = "Bearer old";
  assert.equal((await emqx.setup()).code, 0);
  assert.equal(shown().authorization, "Bearer old");
  const again = await emqx.setup("--write-secret");
  assert.equal(shown().authorization, `Bearer ${hookSecret}`);
  for (const { out, err } of [first, again]) assert.ok(!`${out}${err}`.includes(hookSecret));
});

test("each setting that is lacking is named, with what it is, what it should be and why", async (t) => {
  const emqx = await prepare(t);
  await emqx.setup();
  connectRouter(emqx, 0);
  const broken: [RegExp, (state: EmqxState) => void][] = [
    [
      /✖ mqtt\.max_packet_size: it is "1MB" and should be "256KB"\. Bytes of one packet/,
      ({ mqtt }) => (mqtt.max_packet_size = "1MB"),
    ],
    [
      /✖ flapping_detect\.enable: it is true and should be false\. EMQX counts connects/,
      (state) => (state.flapping_detect.enable = true),
    ],
    [
      /✖ authorization\.deny_action: it is "ignore" and should be "disconnect"/,
      (state) => (state.authorization.deny_action = "ignore"),
    ],
    [/✖ mqtt\.client_attrs_init: it is \[\] and should be /, ({ mqtt }) => (mqtt.client_attrs_init = [])],
    [/✖ retainer\.enable: it is true and should be false/, (state) => (state.retainer.enable = true)],
    [/✖ rule_engine\.rules\.parley: it is not there/, (state) => delete state.rules.parley],
    [/✖ OPEN authentication\[\]: it is not there/, (state) => state.authentication.splice(0)],
    [
      /✖ OPEN authentication\[\]\.enable: it is false and should be true/,
      (state) => Object.assign(state.authentication[0] as object, { enable: false }),
    ],
    [
      /✖ listeners\.ws\.default\.websocket\.proxy_address_header: it is "x-forwarded-for" and should be ""/,
      (state) =>
        Object.assign(state.listeners["ws:default"] as object, {
          websocket: { mqtt_path: "/mqtt", proxy_address_header: "x-forwarded-for", proxy_port_header: "" },
        }),
    ],
  ];
  for (const [told, breaks] of broken)
    await t.test(String(told), async () => {
      const kept = structuredClone(emqx.state);
      breaks(emqx.state);
      const { code, err } = await emqx.setup("--check");
      assert.equal(code, 1);
      assert.match(err, told);
      assert.equal((await emqx.setup()).code, 0);
      assert.equal((await emqx.setup("--check")).code, 0);
      Object.assign(emqx.state, kept);
    });
});

test("the same value in another spelling is right", async (t) => {
  const emqx = await prepare(t);
  await emqx.setup();
  connectRouter(emqx, 0);
  Object.assign(emqx.state.mqtt, { max_packet_size: 262144, session_expiry_interval: "3600s", max_mqueue_len: "1000" });
  Object.assign(emqx.state.listeners["tcp:default"] as object, { bytes_rate: "1024KB/1s", messages_rate: "400/s" });
  assert.equal((await emqx.setup("--check")).code, 0);
});

test("what lets anybody in and is somebody else's is refused, and left alone", async (t) => {
  const doors: [RegExp, (state: EmqxState) => void][] = [
    [
      /OPEN listeners\.tcp\.legacy\.enable_authn: it lets in everybody/,
      ({ listeners }) =>
        (listeners["tcp:legacy"] = {
          enable: true,
          bind: "1999",
          mountpoint,
          enable_authn: false,
        }),
    ],
    [
      /OPEN listeners\.tcp\.legacy\.mountpoint: a device of another protocol/,
      ({ listeners }) => (listeners["tcp:legacy"] = { enable: true, bind: "1999", mountpoint: "" }),
    ],
    [
      /OPEN listeners\.tcp\.default\.authentication: it has authentication of its own/,
      ({ listeners }) => Object.assign(listeners["tcp:default"] as object, { authentication: [{ mechanism: "jwt" }] }),
    ],
    [
      /OPEN authentication \(password_based:built_in_database\)/,
      (state) => state.authentication.push({ mechanism: "password_based", backend: "built_in_database", enable: true }),
    ],
    [
      /OPEN authorization\.sources \(built_in_database\)/,
      (state) => state.sources.push({ type: "built_in_database", enable: true }),
    ],
  ];
  for (const [told, opens] of doors)
    await t.test(String(told), async (inner) => {
      const emqx = await prepare(inner, opens);
      const { code, err, out } = await emqx.setup();
      assert.equal(code, 1, out);
      assert.match(err, told);
      assert.match(err, /parley: this EMQX is open/);
    });
});

test("a TLS listener with a certificate of its own stays as it is, but for what keeps trees apart", async (t) => {
  const own = { certfile: "/etc/mine/tls.crt", keyfile: "/etc/mine/tls.key" };
  const emqx = await prepare(t, ({ listeners }) =>
    Object.assign(listeners["ssl:default"] as object, { ssl_options: own }),
  );
  assert.equal((await emqx.setup()).code, 0);
  const { enable, ssl_options, mountpoint: below } = emqx.state.listeners["ssl:default"] ?? {};
  assert.deepEqual([enable, ssl_options, below], [true, own, mountpoint]);
});

test("what cannot be asked is told in one line", async (t) => {
  const emqx = await prepare(t);
  const [wrong, secret] = [await secretFile(t, "key:wrong"), await secretFile(t, hookSecret)];
  const page = createServer((_, response) =>
    response.writeHead(502, { "content-type": "text/html" }).end("<html>Bad Gateway</html>"),
  ).listen(0);
  t.after(() => page.close());
  const proxy = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const needed = "KIND has to be emqx or vernemq";
  const rest = ["--hooks", hooks, "--hook-secret-file", secret, "--check"];
  const cases: [string, string[], number, RegExp][] = [
    [
      "a wrong key",
      ["setup", "emqx", emqx.url, "--key-file", wrong, ...rest],
      3,
      /EMQX at .* does not take the key of --key-file$/,
    ],
    ["no key", ["setup", "emqx", emqx.url, ...rest], 2, /the key of the broker's API is needed/],
    ["a key that is none", ["setup", "emqx", emqx.url, "--key-file", secret, ...rest], 2, /EMQX's key is KEY:SECRET/],
    [
      "a proxy",
      ["setup", "emqx", proxy, "--key-file", wrong, ...rest],
      1,
      /answered 502 with a web page: is this EMQX's HTTP API, or does a proxy answer\?/,
    ],
    [
      "nobody",
      ["setup", "emqx", nobody, "--key-file", wrong, ...rest],
      4,
      /EMQX at .* does not answer: .*ECONNREFUSED.*; check host and port$/,
    ],
    [
      "a port that is none of HTTP",
      ["setup", "emqx", "http://127.0.0.1:1", "--key-file", wrong, ...rest],
      4,
      /^parley: EMQX at http:\/\/127\.0\.0\.1:1 does not answer: check host and port$/,
    ],
    [
      "another broker",
      ["setup", "rabbit", emqx.url, "--key-file", wrong, ...rest],
      2,
      new RegExp(`${needed}, not rabbit$`),
    ],
    [
      "Mosquitto",
      ["setup", "mosquitto", emqx.url, "--key-file", wrong, ...rest],
      2,
      new RegExp(`${needed}: Mosquitto needs no setup, as the edge stands before it$`),
    ],
    [
      "no address, before a key that cannot be read",
      ["setup", "emqx", "notaurl", "--key-file", `${wrong}.none`, ...rest],
      2,
      /^parley: URL notaurl: an address like http:\/\/broker:8090 is needed$/,
    ],
    [
      "a key in the address",
      ["setup", "emqx", emqx.url.replace("//", "//key:secret@"), "--key-file", wrong, ...rest],
      2,
      /keys do not belong in an address/,
    ],
  ];
  for (const [name, args, expected, told] of cases)
    await t.test(name, async () => {
      const { code, err } = await runBroker(args);
      assert.equal(code, expected, err);
      assert.match(err.trim(), told);
      assert.equal(err.trim().split("\n").length, 1, err);
      assert.ok(!err.includes("secret@"));
    });
  await t.test("the key may be in the environment, and then a run configures all", async () => {
    const args = ["setup", "emqx", emqx.url, ...rest].filter((one) => one !== "--check");
    const { code, out, err } = await runBroker(args, { PARLEY_BROKER_API_KEY: emqx.key });
    assert.equal(code, 0, err);
    assert.match(out, /^\d+ settings are right, 0 wrong, 1 not seen\n$/);
    const json = await runBroker([...args, "--check", "--json"], { PARLEY_BROKER_API_KEY: emqx.key });
    assert.equal(JSON.parse(json.out).findings.length, 1);
  });
});

test("an EMQX that is too old is refused before anything is changed", async (t) => {
  const emqx = await prepare(t, (state) => (state.versions = ["5.8.9", "5.7.2"]));
  const { code, err } = await emqx.setup();
  assert.equal(code, 1);
  assert.match(
    err,
    /this is EMQX 5\.7\.2; Parley needs 5\.8\.0 or newer: the answer to authentication cannot hold rules before it/,
  );
  assert.deepEqual(emqx.changes, []);
});
