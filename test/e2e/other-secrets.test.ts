// A part that was given other secrets, or wrong settings: it says which, and chat goes on without it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { eventually, freePort, programOf, startTestCluster, type TestContext } from "@parley/testkit";
import { connectAsync } from "mqtt";
import { logIn } from "./mosquitto.ts";
import { connectAs, registerAll } from "./people.ts";
import { freshFolder } from "./process-end.ts";

const said: string[] = [];
const cluster = await startTestCluster(
  { after },
  { env: { PUSH_FCM_SERVICE_ACCOUNT_FILE: "/nowhere/fcm.json" }, log: (line) => said.push(line) },
);
const { nats, redis, broker } = cluster.wiring.urls;
const people = Array.from({ length: 32 }, (_, index) => `user${index}`);

/** Another replica on the same servers, with a folder of secrets of its own. */
async function startStranger(t: TestContext, service: "router" | "edge", env: Record<string, string> = {}) {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const urls = { NATS_URL: nats, REDIS_URL: redis, PARLEY_BROKER_URL: broker };
  const own = {
    ...inherited,
    PARLEY_DIR: await freshFolder(t),
    ...(service === "router" ? urls : { PARLEY_BROKER_URL: broker }),
    ...env,
  };
  const child = spawn(process.execPath, [programOf(`services/${service}/src/main.ts`)], { env: own });
  const gone = once(child, "exit");
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (some: Buffer) => {
      log += some.toString();
    });
  t.after(async () => {
    child.kill("SIGTERM");
    await gone;
  });
  return { log: () => log, lines: () => log.split("\n") };
}

test("a push whose settings are wrong is given up in one line that names the setting, and the others start", async (t) => {
  const about = said.filter((line) => line.includes("PUSH_FCM_SERVICE_ACCOUNT_FILE"));
  assert.equal(about.length, 1, about.join("\n"));
  assert.match(about[0]!, /\/nowhere\/fcm\.json.*chat goes on, and nobody is notified/);
  await registerAll(cluster, "ann", "ben");
  const ann = await connectAs(t, cluster, "ann");
  await ann.client.send("user/ben", { type: "text", data: "hi" });
});

test("a router with another services-secret says so, and takes no partition from those that can serve it", async (t) => {
  await registerAll(cluster, ...people);
  const clients = await Promise.all(people.map((uid) => connectAs(t, cluster, uid)));
  const stranger = await startStranger(t, "router");
  await eventually(() => stranger.log().includes("broker_login_refused"));
  // For longer than a lease and the wait for a broker: by then it would have half of the partitions, and serve none.
  for (const until = Date.now() + 7_000; Date.now() < until; )
    await Promise.all(clients.map(({ client }) => client.send("user/ann", { type: "text", data: "hello" })));
  const errors = stranger.lines().filter((line) => line.includes('"level":"error"'));
  assert.equal(errors.length, 1, errors.join("\n"));
  assert.match(errors[0]!, /services-secret.*PARLEY_SECRETS/);
  assert.ok(!stranger.log().includes("broker_connected"));
});

test("an edge with other secrets says which, and calls nobody's password wrong", async (t) => {
  const port = await freePort();
  const hooks = `http://127.0.0.1:${cluster.wiring.replicas["auth-webhook"][0]!.hooks}`;
  const doors = {
    EDGE_MQTT_PORT: String(port),
    EDGE_WS_PORT: "0",
    EDGE_ADMIN_PORT: "0",
    EDGE_HOOKS_URL: hooks,
    EDGE_CONNECT_WAIT_MS: "2000",
  };
  const stranger = await startStranger(t, "edge", doors);
  await eventually(() => /services-secret/.test(stranger.log()) && /hook-secret/.test(stranger.log()));
  await registerAll(cluster, "ann");
  const { clientId, mqtt } = await logIn(cluster, "ann", "phone");
  const { username, password } = mqtt;
  const connecting = connectAsync(
    `mqtt://127.0.0.1:${port}`,
    { clientId, username, password, reconnectPeriod: 0 },
    false,
  );
  // 4 and 5 are for logins that are wrong [MQTT 3.1.1 3.2.2.3]; it is closed without one, as when nobody answers.
  await assert.rejects(connecting, ({ code }: { code?: unknown }) => code !== 4 && code !== 5);
});
