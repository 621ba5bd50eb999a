// What the edge's tests stand on: a real Mosquitto, an HTTP server that plays auth-webhook's hooks, an edge before both.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createHealth, createLogger, createMetrics, readConfig, type ServiceContext } from "@parley/runtime";
import { settings } from "../src/config.ts";
import { startEdge } from "../src/service.ts";

export const servicesSecret = "the-services-secret-of-the-tests-0123456789";
export const hookSecret = "the-hook-secret-of-the-tests-0123456789";

/** Waits until `check` gives something truthy, and gives it. */
export async function eventually<T>(check: () => T | Promise<T>, limitMs = 10_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = await check();
    if (found) return found as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${check}`);
    await wait(10);
  }
}

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Mosquitto {
  port: number;
  url: string;
  stop(): Promise<void>;
  /** Stops it from answering, without closing anything, and lets it go on. */
  freeze(): void;
  thaw(): void;
}

/** Mosquitto that takes only the services' login, as behind the edge. */
export async function startMosquitto(t: TestContext, extra: string[] = []): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "parley-edge-"));
  const port = await freePort();
  const passwords = join(folder, "passwords");
  writeFileSync(passwords, `parley:${servicesSecret}\n`, { mode: 0o600 });
  spawnSync("mosquitto_passwd", ["-U", passwords]);
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous false",
    `password_file ${passwords}`,
    "set_tcp_nodelay true",
    "max_inflight_messages 1000",
    "max_queued_messages 0",
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    ...extra,
  ];
  writeFileSync(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
  const child = spawn("mosquitto", ["-c", join(folder, "mosquitto.conf")], { stdio: "ignore" });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    await exited;
  };
  t.after(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(() => canConnect(port));
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    stop,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
  };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

// biome-ignore lint/suspicious/noExplicitAny: what the edge sends is what the tests look at
export type Body = Record<string, any>;

export interface HookAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** an object is sent as JSON, a string as it is */
  body: object | string;
}

export interface HookServer {
  url: string;
  /** all that was asked, in order; the edge's own probes left out */
  asked: { hook: string; body: Body; path: string }[];
  /** Questions of one hook. */
  of(hook: string): Body[];
  /** Answers from now on; what it does not answer is allowed. */
  answer(policy: (hook: string, body: Body) => HookAnswer | Promise<HookAnswer> | undefined): void;
  stop(): Promise<void>;
}

export const ok: HookAnswer = { body: { result: "ok" } };
export const deny: HookAnswer = { body: { result: { error: "not_allowed" } } };
export const cached = (seconds: number, answer: HookAnswer): HookAnswer => ({
  ...answer,
  headers: { "cache-control": `max-age=${seconds}` },
});

export async function startHookServer(t: TestContext): Promise<HookServer> {
  const asked: HookServer["asked"] = [];
  let policy: Parameters<HookServer["answer"]>[0] = () => undefined;
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const hook = String(request.headers["vernemq-hook"]);
    const body = JSON.parse(Buffer.concat(parts).toString()) as Body;
    if (!String(body.client_id).startsWith("sys_")) asked.push({ hook, body, path: request.url ?? "" });
    const { status = 200, headers = {}, body: answer } = (await policy(hook, body)) ?? ok;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.after(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    of: (hook) => asked.filter((one) => one.hook === hook).map((one) => one.body),
    answer: (next) => {
      policy = next;
    },
    stop,
  };
}

export interface TestEdge {
  tcp: number;
  ws: string;
  admin: string;
  context: ServiceContext;
  metric(name: string): Promise<number>;
  close(): Promise<void>;
}

export async function startTestEdge(
  t: TestContext,
  broker: { url: string },
  hooks: { url: string },
  env: Record<string, string> = {},
): Promise<TestEdge> {
  const config = readConfig(settings, {
    PARLEY_BROKER_URL: broker.url,
    EDGE_HOOKS_URL: hooks.url,
    EDGE_MQTT_PORT: "0",
    EDGE_WS_PORT: "0",
    ...env,
  });
  const metrics = createMetrics("edge");
  const context: ServiceContext = {
    instance: "edge-test",
    log: createLogger({ service: "edge", level: "silent" }),
    health: createHealth(),
    metrics,
    secrets: () => ({ signingKey: Buffer.alloc(32), servicesSecret, hookSecret }),
    draining: new AbortController().signal,
    closing: (_, step) => step(),
  };
  const edge = await startEdge(config, context);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= edge.close();
    return closed;
  };
  t.after(close);
  const metric = async (name: string): Promise<number> => {
    const found = await metrics.getSingleMetric(`parley_${name}`)?.get();
    return (found?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  };
  return {
    tcp: edge.ports.mqtt,
    ws: `ws://127.0.0.1:${edge.ports.ws}/mqtt`,
    admin: `http://127.0.0.1:${edge.ports.admin}`,
    context,
    metric,
    close,
  };
}
