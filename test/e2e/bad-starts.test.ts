// Starts that cannot succeed: one line that names the thing and what to do, and nothing touched.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { freePort, startTestCluster, type TestContext } from "@parley/testkit";
import { type End, freshFolder, runService, runStart, type ServiceName } from "./process-end.ts";

const cluster = await startTestCluster({ after }, { parts: ["nats-server", "redis-server", "mosquitto", "history"] });
const { nats, redis, broker } = cluster.wiring.urls;
const urls = { NATS_URL: nats, REDIS_URL: redis, PARLEY_BROKER_URL: broker };

function assertOneLine({ code, stderr }: End, ...says: RegExp[]): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^[^\n]+: cannot start: [^\n]+\n$/, "one line");
  for (const one of says) assert.match(stderr, one);
}

async function takePort(t: TestContext): Promise<number> {
  const port = await freePort();
  const server = createServer((socket) => void socket.on("error", () => {})).listen(port, "127.0.0.1");
  t.after(() => server.close());
  return port;
}

const ports: [ServiceName, string][] = [
  ["history", "HISTORY_HEALTH_PORT"],
  ["api", "API_PORT"],
  ["auth-webhook", "AUTH_WEBHOOK_PORT"],
  ["edge", "EDGE_MQTT_PORT"],
  ["edge", "EDGE_WS_PORT"],
  ["edge", "EDGE_ADMIN_PORT"],
];
// Their defaults may be somebody else's.
const freePorts: Partial<Record<ServiceName, Record<string, string>>> = {
  api: { API_PORT: "0" },
  edge: { EDGE_MQTT_PORT: "0", EDGE_WS_PORT: "0" },
};

for (const [service, key] of ports)
  test(`${service} whose ${key} is taken says so with the key and the port`, async (t) => {
    const port = await takePort(t);
    const end = await runService(t, service, { env: { ...urls, ...freePorts[service], [key]: `${port}` } });
    assertOneLine(end, new RegExp(`${key} 127\\.0\\.0\\.1:${port}: the port is taken`));
  });

test("a second history on the same files waits ten seconds, then says whose they are and what to do", async (t) => {
  const env = { ...urls, STORE_URL: cluster.wiring.storeUrl };
  const end = await runService(t, "history", { env });
  assertOneLine(end, /history\/log\.db: another process holds it \(waited 10 s\)\. Stop that one, or .*mongodb/);
  await cluster.waitReady("history");
  // Closed, its files can be copied: the next tests spoil the copies.
  await cluster.stopPart("history");
});

/** A store's folder as a closed history left it, with one file spoilt. */
async function spoiltStore(t: TestContext, service: ServiceName, spoil: (file: string) => unknown) {
  const folder = await freshFolder(t);
  await cp(join(cluster.dir, "data/history"), join(folder, service), { recursive: true });
  const file = join(folder, service, service === "history" ? "log.db" : "documents.db");
  await spoil(file);
  return { url: `sqlite:${folder}`, file };
}

function setVersion(file: string): void {
  const database = new DatabaseSync(file);
  database.exec("UPDATE meta SET value = 99 WHERE name = 'version'; PRAGMA journal_mode = DELETE");
  database.close();
}

const spoils: [what: string, spoil: (file: string) => unknown, says: RegExp][] = [
  ["that is no database", (file) => writeFile(file, "not a database ".repeat(500)), /it is not a database; put back/],
  ["that is half-written", (file) => truncate(file, 6_000), /it is damaged or half-written; put back/],
  ["of a newer version", setVersion, /written by a newer Parley \(schema 99, .*start the newer one/],
];

for (const service of ["history", "api", "presence", "search", "push"] as const)
  for (const [what, spoil, says] of spoils)
    test(`a store of ${service} ${what} is named, and left as it is`, async (t) => {
      const { url, file } = await spoiltStore(t, service, spoil);
      const before = await readFile(file, "latin1");
      const end = await runService(t, service, { env: { ...urls, ...freePorts[service], STORE_URL: url } });
      assertOneLine(end, new RegExp(`${file}: `), says);
      assert.ok(before === (await readFile(file, "latin1")), "not a byte of it changed");
    });

test("a secret that is damaged is named with what to do, and left as it is", async (t) => {
  const PARLEY_DIR = await freshFolder(t);
  await mkdir(join(PARLEY_DIR, "secrets"));
  await writeFile(join(PARLEY_DIR, "secrets/signing-key"), "short");
  const end = await runService(t, "api", { env: { ...urls, PARLEY_DIR } });
  assertOneLine(end, /secrets\/signing-key is 5 bytes long instead of 32; restore it, or remove it/);
  assert.equal(await readFile(join(PARLEY_DIR, "secrets/signing-key"), "utf8"), "short");
});

test("npm start leaves a data folder of a newer version as it is, and says so", async (t) => {
  const PARLEY_DIR = await freshFolder(t);
  await writeFile(join(PARLEY_DIR, "version"), '{"version":99}');
  const { code, stderr, files } = await runStart(t, { PARLEY_DIR });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^parley: [^\n]*newer Parley \(data version 99, [^\n]*nothing was touched: update Parley[^\n]*\n$/,
  );
  assert.deepEqual(files, ["version"]);
  assert.equal(await readFile(join(PARLEY_DIR, "version"), "utf8"), '{"version":99}');
});

test("npm start with a STORE_URL that cannot be had says so in one line and starts nothing", async (t) => {
  const port = await freePort();
  const wrong: [string, RegExp][] = [
    [`mongodb://parley:hunter2@127.0.0.1:${port}/parley`, new RegExp(`127\\.0\\.0\\.1:${port} refuses connections`)],
    ["mongodb://nowhere.invalid/parley", /nowhere\.invalid:27017 is not a known host/],
    ["mongodb://u:hunter2@", /not a MongoDB URL: /],
    ["mongo://127.0.0.1/parley", /is sqlite:FOLDER or mongodb:\/\/…, not mongo:…/],
    ["sqlite:", /is sqlite:FOLDER or mongodb:\/\/…, not sqlite:…/],
    ["sqlite:/dev/null/parley", /\/dev\/null\/parley: /],
  ];
  const ends = await Promise.all(
    wrong.map(async ([STORE_URL, says]) => ({
      says,
      ...(await runStart(t, { STORE_URL, PARLEY_REPLICAS: "router=2" })),
    })),
  );
  for (const { code, stderr, files, says } of ends) {
    assert.equal(code, 1);
    assert.match(stderr, /^parley: STORE_URL: [^\n]+\n$/);
    assert.equal(stderr.split("STORE_URL").length, 2, stderr);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /hunter2/);
    assert.deepEqual(files, []);
  }
});

test("npm start without a server in the PATH names the server and what to do", async (t) => {
  const hide = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /usr/sbin && exec "$@"', "sh"];
  if (spawnSync(hide[0] ?? "", [...hide.slice(1), "true"]).status !== 0)
    return t.skip("A FOLDER CAN BE HIDDEN ONLY AS ROOT ON LINUX: a missing server is not tested here");
  const ports = { PARLEY_HTTP_PORT: "0", PARLEY_MQTT_PORT: "0", PARLEY_WS_PORT: "0" };
  const { code, stderr } = await runStart(t, ports, hide);
  assert.equal(code, 1, stderr);
  const line = /^parley: (mosquitto|nats-server) cannot be started: \1 was not found in the PATH; install it[^\n]*\n$/;
  assert.match(stderr, line);
});
