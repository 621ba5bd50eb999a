// What the edge's tests stand on: an HTTP server that plays auth-webhook's hooks, and an edge between it and a real Mosquitto.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHealth, createLogger, createMetrics, readConfig, type ServiceContext } from "@parley/runtime";
import type { TestContext, TestServer } from "@parley/testkit";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { settings } from "../src/config.ts";
import { startEdge } from "../src/service.ts";

export const hookSecret = "the-hook-secret-of-a-test";

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
  asked: { hook: string; body: Body; connection?: string; path: string; headers: Body }[];
  /** The bodies of one hook's questions. */
  of(hook: string): Body[];
  /** Answers from now on; what it leaves undefined is allowed. */
  answer(policy: (hook: string, body: Body, connection?: string) => HookAnswer | Promise<HookAnswer> | undefined): void;
  stop(): Promise<void>;
}

export const ok: HookAnswer = { body: { result: "ok" } };
export const deny: HookAnswer = { body: { result: { error: "not_allowed" } } };
export const cached = (seconds: number, answer: HookAnswer): HookAnswer => ({
  ...answer,
  headers: { "cache-control": `max-age=${seconds}` },
});

/** On any free port, unless one is given. */
export async function startHookServer(t: TestContext, port = 0): Promise<HookServer> {
  const asked: HookServer["asked"] = [];
  let policy: Parameters<HookServer["answer"]>[0] = () => undefined;
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const hook = String(request.headers["vernemq-hook"]);
    const { connection_id: connection, ...body } = JSON.parse(Buffer.concat(parts).toString()) as Body;
    const isProbe = String(body.client_id).startsWith("sys_");
    if (!isProbe) asked.push({ hook, body, connection, path: request.url ?? "", headers: request.headers });
    const {
      status = 200,
      headers = {},
      body: answer,
    } = (isProbe ? undefined : await policy(hook, body, connection)) ?? ok;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
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
  broker: Pick<TestServer, "url" | "password">,
  hooks: Pick<HookServer, "url">,
  env: Record<string, string> = {},
): Promise<TestEdge> {
  const ports = { EDGE_MQTT_PORT: "0", EDGE_WS_PORT: "0", EDGE_ADMIN_PORT: "0", EDGE_CONNECT_WAIT_MS: "300" };
  const config = readConfig(settings, { PARLEY_BROKER_URL: broker.url, EDGE_HOOKS_URL: hooks.url, ...ports, ...env });
  const metrics = createMetrics("edge");
  const context: ServiceContext = {
    instance: "edge-test",
    log: createLogger({ service: "edge", level: "silent" }),
    health: createHealth(),
    metrics,
    secrets: () => ({ signingKey: Buffer.alloc(32), servicesSecret: broker.password, hookSecret }),
    secretText: () => "",
    pass: () => undefined,
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
  return {
    tcp: edge.ports.mqtt,
    ws: `ws://127.0.0.1:${edge.ports.ws}/mqtt`,
    admin: `http://127.0.0.1:${edge.ports.admin}`,
    context,
    metric: async (name) => {
      const found = await metrics.getSingleMetric(`parley_${name}`)?.get();
      return (found?.values ?? []).reduce((sum, { value }) => sum + value, 0);
    },
    close,
  };
}

/** Hooks and an edge of a test's own before a Mosquitto that the file shares. */
export async function startBoth(
  t: TestContext,
  broker: Pick<TestServer, "url" | "password">,
  env: Record<string, string> = {},
): Promise<{ hooks: HookServer; edge: TestEdge }> {
  const hooks = await startHookServer(t);
  return { hooks, edge: await startTestEdge(t, broker, hooks, env) };
}

let clients = 0;

/** A client id that no other test of this process uses. */
export function newClientId(): string {
  clients += 1;
  return `alice:t${clients}`;
}

/** MQTT.js as a device. Never reconnects. */
export async function connectDevice(
  t: TestContext,
  edge: TestEdge,
  options: IClientOptions & { transport?: "tcp" | "ws" } = {},
): Promise<MqttClient & { received: string[] }> {
  const { transport = "tcp", ...rest } = options;
  const url = transport === "tcp" ? `mqtt://127.0.0.1:${edge.tcp}` : edge.ws;
  const login = { clientId: newClientId(), username: "alice", password: "secret", reconnectPeriod: 0 };
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, ...login, ...rest }, false);
  const received: string[] = [];
  client.on("message", (_, payload) => received.push(payload.toString()));
  client.on("error", () => {});
  t.after(() => client.end(true));
  return Object.assign(client, { received });
}
