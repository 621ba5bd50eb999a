// `parley broker check`: all holds at Mosquitto behind the edge; of an open broker it says what does not.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { callHttp } from "@parley/client";
import { keysCreate, usersCreate, usersLogin, usersSearch } from "@parley/protocol";
import { eventually, freePort, searchPath, startTestCluster, type TestContext } from "@parley/testkit";
import { connectAsync } from "mqtt";
import { nativeCases } from "../../packages/cli/src/broker/check/cases.ts";
import type { Row } from "../../packages/cli/src/broker/check/run-cases.ts";
import { runBroker, secretFile } from "./parley.ts";

/** The cases make more connections and logins a minute than honest people do. */
const env = { AUTH_WEBHOOK_STRANGER_CONNECTS: "1000", API_ADDRESS_RATE: "1000", API_ADDRESS_BURST: "5000" };

/** As it is out of the box with one line: it lets in everybody. */
async function startOpenMosquitto(t: TestContext): Promise<string> {
  const port = await freePort();
  const file = await secretFile(t, `listener ${port} 127.0.0.1\nallow_anonymous true`);
  const child = spawn("mosquitto", ["-c", file], { env: { PATH: searchPath() } });
  t.after(() => child.kill("SIGKILL"));
  const url = `mqtt://127.0.0.1:${port}`;
  const client = await eventually(() => connectAsync(url, { reconnectPeriod: 0 }).catch(() => undefined));
  await client?.endAsync();
  return url;
}

test("parley broker check", async (t) => {
  const cluster = await startTestCluster(t, { env });
  const { http, mqtt } = cluster.run();
  const { key } = await callHttp(http, keysCreate, { name: "check" }, { token: cluster.servicesSecret });
  const keyFile = await secretFile(t, key);
  const check = (...args: string[]) => runBroker(["check", ...args, "--server", http, "--key-file", keyFile]);
  const tcp = `mqtt://${mqtt.host}:${mqtt.port}`;

  await t.test(
    "everything holds at Mosquitto behind the edge, by MQTT 3.1.1 and 5, over TCP and WebSocket, and the accounts are removed",
    async () => {
      const { code, out, err } = await check(tcp, mqtt.ws);
      assert.equal(code, 0, `${out}${err}`);
      assert.match(out, new RegExp(`${nativeCases.length} hold, 0 do not, 0 were left out`));
      for (const { holds } of nativeCases) assert.ok(out.includes(`| native | ${holds} | yes |`), holds);
      // The accounts that it made begin with the number of their case.
      await callHttp(http, usersCreate, { uid: "looker", password: "a password" }, { token: key });
      const { token } = await callHttp(http, usersLogin, { uid: "looker", device: "http" }, { token: key });
      const { users } = await callHttp(http, usersSearch, { query: "c" }, { token });
      assert.deepEqual(users, []);
    },
  );

  await t.test(
    "of an open broker that nobody from Parley listens to, it says what does not hold and ends with 1",
    async (inner) => {
      const { code, out, err } = await check(await startOpenMosquitto(inner), "--patience", "1", "--json");
      assert.equal(code, 1, err);
      const rows = out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Row);
      const seen = (holds: RegExp) => rows.find((row) => holds.test(row.holds));
      assert.deepEqual([seen(/is not let in$/)?.outcome, seen(/client id of another's/)?.outcome], ["no", "no"]);
      assert.match(seen(/is not let in$/)?.seen ?? "", /was let in/);
      assert.match(seen(/^no filter but/)?.seen ?? "", /was granted/);
      assert.match(seen(/^a message is acknowledged/)?.seen ?? "", /the ack of .* did not come/);
      const { error } = JSON.parse(err) as { error: { message: string } };
      assert.match(
        error.message,
        /^open: it lets in anybody\. \d+ of \d+ do not hold: this broker is not one for Parley as it is$/,
      );
    },
  );

  await t.test("what cannot be asked is told in one line", async () => {
    const nobody = `mqtt://127.0.0.1:${await freePort()}`;
    const silent = `http://127.0.0.1:${await freePort()}`;
    const [gone, web, wrong, serverless, http1, keyless] = await Promise.all([
      check(nobody, "--patience", "1"),
      check(http.replace("http:", "mqtt:"), "--patience", "1"),
      runBroker(["check", tcp, "--server", http, "--key-file", await secretFile(t, "no-key")]),
      runBroker(["check", tcp, "--server", silent, "--key-file", keyFile]),
      check("http://broker:1883"),
      runBroker(["check", tcp, "--server", http]),
    ]);
    const outcomes = [gone, web, wrong, serverless, http1, keyless];
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [4, 4, 3, 4, 2, 2],
    );
    assert.match(gone.err, /^parley: mqtt:\/\/127\.0\.0\.1:\d+ does not speak MQTT: .*ECONNREFUSED/);
    assert.match(web.err, /^parley: mqtt:\/\/127\.0\.0\.1:\d+ does not speak MQTT$/m);
    assert.match(wrong.err, new RegExp(`^parley: ${http} does not take the key of --key-file: `));
    assert.equal(serverless.err, `parley: ${silent} does not answer\n`);
    assert.match(http1.err, /^parley: URL http:\/\/broker:1883: an address like mqtt:\/\/broker:1883 is needed/);
    assert.match(keyless.err, /^parley: a server key is needed/);
  });
});
