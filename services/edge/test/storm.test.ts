// More devices at once than can be judged, or than fit.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually, freePort, programOf, startServers, type TestContext } from "@parley/testkit";
import { connectPacket, openRaw, type Version } from "./raw-client.ts";
import {
  connectDevice,
  hookSecret,
  newClientId,
  ok,
  startBoth,
  startHookServer,
  startTestEdge,
} from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const codeOf = (packet: Record<string, unknown>) => packet.reasonCode ?? packet.returnCode;

async function connectRaw(t: TestContext, port: number, version: Version = 4) {
  const client = await openRaw(t, port, version);
  client.send(connectPacket(version, newClientId()));
  return client;
}

test("300 devices at the same moment are all let in, so many judged at once", async (t) => {
  const env = { EDGE_CONNECTS_AT_ONCE: "16", EDGE_CONNECT_WAIT_MS: "20000" };
  const { hooks, edge } = await startBoth(t, mosquitto, env);
  let under = 0;
  let most = 0;
  hooks.answer(async (hook) => {
    if (hook !== "auth_on_register") return ok;
    most = Math.max(most, ++under);
    await new Promise((resolve) => setTimeout(resolve, 40));
    under -= 1;
    return ok;
  });
  const clients = await Promise.all(Array.from({ length: 300 }, () => connectRaw(t, edge.tcp)));
  const codes = await Promise.all(clients.map(async (client) => codeOf(await client.next())));
  assert.deepEqual([...new Set(codes)], [0]);
  assert.ok(most <= 16, `${most} at once`);
});

test("a CONNECT beyond those that may wait, or that waited too long, is closed without a word that would be its last", async (t) => {
  const env = { EDGE_CONNECTS_AT_ONCE: "1", EDGE_CONNECTS_WAITING: "2", EDGE_CONNECT_WAIT_MS: "500" };
  const { hooks, edge } = await startBoth(t, mosquitto, env);
  const held = Promise.withResolvers<void>();
  hooks.answer(async () => {
    await held.promise;
    return ok;
  });
  const first = await connectRaw(t, edge.tcp);
  await eventually(() => hooks.of("auth_on_register").length === 1);
  const waiting = [await connectRaw(t, edge.tcp), await connectRaw(t, edge.tcp, 5)];
  await eventually(async () => (await edge.metric("edge_connects_waiting")) === 2);
  assert.deepEqual(await (await connectRaw(t, edge.tcp, 5)).closed(), []);
  assert.deepEqual(await (await connectRaw(t, edge.tcp, 4)).closed(), []);
  for (const client of waiting) assert.deepEqual(await client.closed(), []);
  held.resolve();
  assert.equal(codeOf(await first.next()), 0);
  assert.equal(codeOf(await (await connectRaw(t, edge.tcp)).next()), 0);
});

test("a device that left while it was judged is told of as gone", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const held = Promise.withResolvers<void>();
  hooks.answer(async (hook) => {
    if (hook === "auth_on_register") await held.promise;
    return ok;
  });
  const client = await connectRaw(t, edge.tcp);
  await eventually(() => hooks.of("auth_on_register").length === 1);
  client.socket.resetAndDestroy();
  // The edge has heard of it when it has heard what came later.
  const later = await connectRaw(t, edge.tcp);
  await eventually(() => hooks.of("auth_on_register").length === 2);
  void later;
  held.resolve();
  await eventually(() => hooks.of("on_client_gone").length === 1);
});

/** A Unix socket that leads to the broker, in a process of its own, where few connections may wait to be taken. */
async function startNarrowSocket(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "parley-edge-"));
  const path = join(folder, "broker");
  const serve = `const { connect, createServer } = require("node:net");
    createServer((one) => one.pipe(connect(${new URL(mosquitto.url).port}, "127.0.0.1")).pipe(one))
      .listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log("listening"));`;
  const child = spawn(process.execPath, ["-e", serve], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  await once(child.stdout, "data");
  return { url: `unix://${path}`, child };
}

test("devices for whom the broker's socket has no room at the moment wait, and are let in when it has", async (t) => {
  const { url, child } = await startNarrowSocket(t);
  const hooks = await startHookServer(t);
  const edge = await startTestEdge(t, { url, password: mosquitto.password }, hooks);
  child.kill("SIGSTOP");
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(t, edge.tcp)));
  await eventually(() => hooks.of("auth_on_register").length === clients.length);
  // Whoever came to the broker meanwhile is told that there is no room.
  const probe = await connectRaw(t, edge.tcp);
  await eventually(() => hooks.of("auth_on_register").length > clients.length);
  clients.push(probe);
  child.kill("SIGCONT");
  const codes = await Promise.all(clients.map(async (client) => codeOf(await client.next())));
  assert.deepEqual([...new Set(codes)], [0]);
});

/** An edge's own process, with so few files that it may have open. */
async function startLimited(t: TestContext, files: number, env: Record<string, string>) {
  const port = await freePort();
  const main = programOf("services/edge/src/main.ts");
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const child = spawn("sh", ["-c", `ulimit -n ${files}; exec "$0" "$1"`, process.execPath, main], {
    env: { ...inherited, EDGE_MQTT_PORT: `${port}`, EDGE_WS_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  return { port, child, said: () => said };
}

test("where files are few the edge says so at its start, takes as many devices as fit, and closes the others", async (t) => {
  const hooks = await startHookServer(t);
  const folder = await mkdtemp(join(tmpdir(), "parley-edge-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "secrets"));
  for (const [name, secret] of [
    ["services-secret", mosquitto.password],
    ["hook-secret", hookSecret],
  ] as const)
    await writeFile(join(folder, "secrets", name), secret, { mode: 0o600 });
  const env = { PARLEY_BROKER_URL: mosquitto.url, EDGE_HOOKS_URL: hooks.url, PARLEY_DIR: folder };
  const edge = await startLimited(t, 300, env);
  await eventually(() => edge.said().includes('"started"'));
  const line =
    edge
      .said()
      .split("\n")
      .find((one) => one.includes("few_open_files")) ?? "{}";
  const { accepted, limit, reason } = JSON.parse(line);
  assert.equal(limit, 300);
  assert.match(
    reason,
    /300 open files \(ulimit -n\) are enough for \d+ devices: raise it to \d+, or lower EDGE_MAX_CONN/,
  );
  const clients = await Promise.all(Array.from({ length: accepted + 10 }, () => connectRaw(t, edge.port)));
  const codes = await Promise.all(clients.map((client) => client.next().then(codeOf, () => "closed")));
  assert.equal(codes.filter((code) => code === 0).length, accepted, edge.said().slice(-500));
  assert.equal(codes.filter((code) => code === "closed").length, 10);
  clients[codes.indexOf(0)]?.socket.destroy();
  await eventually(async () => codeOf(await (await connectRaw(t, edge.port)).next()) === 0);
});

for (const transport of ["tcp", "ws"] as const)
  test(`hundreds of sockets of one address that say nothing keep no other address out, ${transport}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto, { EDGE_SILENT_CONNECTIONS: "200" });
    const port = transport === "tcp" ? edge.tcp : Number(new URL(edge.ws).port);
    const openAt = (localAddress: string) => {
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      t.after(() => socket.destroy());
      return socket.on("error", () => {});
    };
    const honest = openAt("127.0.0.3");
    await once(honest, "connect");
    const silent = Array.from({ length: 600 }, () => openAt("127.0.0.2"));
    await eventually(() => silent.filter(({ closed }) => closed).length === 401);
    assert.equal(await edge.metric("edge_silent_connections"), 200);
    assert.equal(honest.closed, false);
    const late = await connectDevice(t, edge, { transport, protocolVersion: 4 });
    for (let more = 0; more < 200; more++) silent.push(openAt("127.0.0.2"));
    await eventually(() => silent.filter(({ closed }) => closed).length >= 601);
    assert.ok(late.connected && !honest.closed);
    honest.destroy();
    for (const socket of silent) socket.destroy();
    await eventually(async () => (await edge.metric("edge_silent_connections")) === 0);
  });

test("a socket at the WebSocket door that says nothing ends in time", async (t) => {
  const { edge } = await startBoth(t, mosquitto, { EDGE_CONNECT_TIMEOUT_MS: "100" });
  const socket = connect(Number(new URL(edge.ws).port), "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket.resume(), "close");
});
