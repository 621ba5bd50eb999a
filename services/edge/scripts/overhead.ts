// What the edge costs: the same load on Mosquitto itself and through an edge, in turns, QoS 1 with kept answers.
// node services/edge/scripts/overhead.ts [--seconds 3] [--rounds 3] [--connections 5000] [--profile]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createHealth, createLogger, createMetrics, readConfig } from "@parley/runtime";
import { eventually, freePort, startServers } from "@parley/testkit";
import mqttPacket, { type Packet } from "mqtt-packet";
import { settings } from "../src/config.ts";
import { startEdge } from "../src/service.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    profile: { type: "boolean", default: false },
    connections: { type: "string", default: "0" },
    serve: { type: "string" },
  },
});
const seconds = Number(options.seconds);
const closers: (() => unknown)[] = [];
const scope = { after: (fn: () => unknown) => void closers.unshift(fn) };

interface Target {
  name: string;
  port: number;
  username: string;
  password: string;
}

interface Device {
  socket: Socket;
  close(): void;
}

/** A device of the load: connects, then hands each packet to `onPacket`, whole. */
async function openDevice(target: Target, clientId: string, onPacket: (packet: Buffer) => void): Promise<Device> {
  const socket = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    for (;;) {
      const end = packetEnd(bytes);
      if (end === undefined || end > bytes.length) break;
      onPacket(bytes.subarray(0, end));
      bytes = bytes.subarray(end);
    }
    rest = bytes;
  });
  const { username, password } = target;
  const connected = new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject).once("close", () => reject(new Error(`${target.name} refused`)));
  });
  socket.write(
    encode({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clientId,
      clean: true,
      keepalive: 0,
      username,
      password: Buffer.from(password),
    }),
  );
  await connected;
  socket.removeAllListeners("close").on("error", () => {});
  return { socket, close: () => socket.destroy() };
}

function packetEnd(bytes: Buffer): number | undefined {
  let length = 0;
  for (let at = 1, scale = 1; at < bytes.length && at < 5; at++, scale *= 128) {
    length += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) return at + 1 + length;
  }
  return undefined;
}

function packetIdOf(publish: Buffer): number {
  const body = publish[1]! < 0x80 ? 2 : publish[2]! < 0x80 ? 3 : 4;
  return publish.readUInt16BE(body + 2 + publish.readUInt16BE(body));
}

function encode(packet: Packet): Buffer {
  return mqttPacket.generate(packet, { protocolVersion: 4 });
}

/** One writer with `inFlight` publishes under way, one reader who acknowledges each: deliveries a second, and their latency. */
async function measure(target: Target, inFlight: number): Promise<{ rate: number; p50: number; p99: number }> {
  const topic = `bench/${target.name}`;
  const latencies: number[] = [];
  const sentAt: number[] = [];
  let sent = 0;
  let received = 0;
  let open = true;
  const publish = (): void => {
    const messageId = (sent % 60_000) + 1;
    sentAt.push(performance.now());
    sent += 1;
    writer.socket.write(encode({ cmd: "publish", topic, payload, qos: 1, dup: false, retain: false, messageId }));
  };
  const acks: number[] = [];
  const reader = await openDevice(target, `${target.username}:reader`, (packet) => {
    if (packet[0]! >> 4 !== 3) return;
    latencies.push(performance.now() - sentAt[received++]!);
    if (acks.push(packetIdOf(packet)) === 1) queueMicrotask(sendAcks);
    if (open) publish();
  });
  const sendAcks = (): void => {
    const bytes = Buffer.alloc(4 * acks.length);
    for (const [index, id] of acks.entries()) bytes.writeUInt32BE(0x40020000 + id, 4 * index);
    acks.length = 0;
    reader.socket.write(bytes);
  };
  const writer = await openDevice(target, `${target.username}:writer`, () => {});
  reader.socket.write(encode({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos: 1 }] }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const begin = performance.now();
  writer.socket.cork();
  for (let index = 0; index < inFlight; index++) publish();
  writer.socket.uncork();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  open = false;
  const rate = received / ((performance.now() - begin) / 1000);
  await eventually(() => received === sent);
  reader.close();
  writer.close();
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor(q * (latencies.length - 1))]!;
  return { rate, p50: quantile(0.5), p99: quantile(0.99) };
}

/** Connects many, 64 at a time, and keeps them: connects a second, and what each costs the edge's memory. */
async function measureConnections(target: Target, count: number, pid: number): Promise<void> {
  const before = residentKiB(pid);
  const begin = performance.now();
  const devices: Device[] = [];
  let next = 0;
  const connectSome = async (): Promise<void> => {
    while (next < count) devices.push(await openDevice(target, `alice:${next++}`, () => {}));
  };
  await Promise.all(Array.from({ length: 64 }, connectSome));
  const rate = count / ((performance.now() - begin) / 1000);
  const each = (residentKiB(pid) - before) / count;
  console.log(`${count} connections: ${Math.round(rate)} connects/s, ${each.toFixed(1)} KiB each at the edge`);
  for (const device of devices) device.close();
}

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

const payload = Buffer.alloc(200, "x");

/** auth-webhook's part: says yes, for a minute. */
async function startYes(): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/json", "cache-control": "max-age=60" });
    response.end('{"result":"ok"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scope.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** The edge in a process of its own, as it is deployed; `--serve` is that process. */
async function startEdgeProcess(brokerUrl: string, password: string): Promise<{ port: number; pid: number }> {
  const port = await freePort();
  const env = {
    ...process.env,
    PARLEY_BROKER_URL: brokerUrl,
    EDGE_HOOKS_URL: `http://127.0.0.1:${await startYes()}`,
    EDGE_MQTT_PORT: String(port),
    EDGE_WS_PORT: "0",
  };
  const profiling = options.profile ? ["--cpu-prof", "--cpu-prof-dir", join(tmpdir(), "edge-profile")] : [];
  const args = [...profiling, import.meta.filename, "--serve", password];
  const child = spawn(process.execPath, args, { env, stdio: "inherit" });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  scope.after(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  await eventually(() => canConnect(port));
  return { port, pid: child.pid! };
}

async function serve(servicesSecret: string): Promise<void> {
  const edge = await startEdge(readConfig(settings, process.env), {
    instance: "edge-overhead",
    log: createLogger({ service: "edge", level: "warn" }),
    health: createHealth(),
    metrics: createMetrics("edge"),
    secrets: () => ({ signingKey: Buffer.alloc(32), servicesSecret, hookSecret: "hook-secret" }),
    pass: () => undefined,
    draining: new AbortController().signal,
    closing: (_, step) => step(),
  });
  process.once("SIGTERM", () => void edge.close().then(() => process.exit(0)));
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function run(): Promise<void> {
  const { mosquitto } = await startServers(scope, { mosquitto: { settings: ["persistence false"] } });
  const { port, pid } = await startEdgeProcess(mosquitto.url, mosquitto.password);
  const targets: Target[] = [
    { name: "broker", port: mosquitto.port, username: mosquitto.username, password: mosquitto.password },
    { name: "edge", port, username: "alice", password: "secret" },
  ];
  const connections = Number(options.connections);
  if (connections > 0) await measureConnections(targets[1]!, connections, pid);
  for (const inFlight of [1, 32, 320]) {
    const best: Record<string, { rate: number; p50: number; p99: number }> = {};
    for (let round = 0; round < Number(options.rounds); round++)
      for (const target of targets) {
        const figures = await measure(target, inFlight);
        if (figures.rate > (best[target.name]?.rate ?? 0)) best[target.name] = figures;
      }
    const show = ({ rate, p50, p99 }: { rate: number; p50: number; p99: number }) =>
      `${Math.round(rate)}/s p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`;
    const { broker, edge: through } = best;
    console.log(
      `${inFlight} in flight: broker ${show(broker!)}; edge ${show(through!)}; ${(through!.rate / broker!.rate).toFixed(2)} of the rate`,
    );
  }
}

if (options.serve !== undefined) await serve(options.serve);
else
  try {
    await run();
  } finally {
    for (const close of closers) await close();
  }
