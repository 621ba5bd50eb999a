// What the edge's tests stand on: a server that plays auth-webhook's hooks, and an edge between it and a real Mosquitto.
import { createHealth, createLogger, createMetrics, readConfig, type ServiceContext } from "@parley/runtime";
import type { TestContext, TestServer } from "@parley/testkit";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { settings } from "../src/config.ts";
import { startEdge } from "../src/service.ts";
import { type Body, type HookAnswer, type PlayedHooks, playHooks } from "./played-hooks.ts";

export type { Body, HookAnswer } from "./played-hooks.ts";

export const hookSecret = "the-hook-secret-of-a-test-as-long-as-one";

export interface HookServer extends Pick<PlayedHooks, "links" | "end" | "stop"> {
  url: string;
  /** all that was asked, in order; the edge's own probes left out */
  asked: { hook: string; body: Body; connection?: string }[];
  /** The bodies of one hook's questions. */
  of(hook: string): Body[];
  /** Answers from now on; what it leaves undefined is allowed. */
  answer(policy: (hook: string, body: Body, connection?: string) => HookAnswer | Promise<HookAnswer> | undefined): void;
}

export const ok: HookAnswer = { body: { result: "ok" } };
export const deny: HookAnswer = { body: { result: { error: "not_allowed" } } };
/** No decision: from a hook that is in trouble itself. */
export const fault: HookAnswer = { body: {} };
export const cached = (maxAgeSeconds: number, answer: HookAnswer): HookAnswer => ({ ...answer, maxAgeSeconds });

/** On any free port, unless one is given. */
export async function startHookServer(t: TestContext, port = 0): Promise<HookServer> {
  const asked: HookServer["asked"] = [];
  let policy: Parameters<HookServer["answer"]>[0] = () => undefined;
  const played = await playHooks(
    async (hook, { connection_id: connection, ...body }) => {
      if (String(body.client_id).startsWith("sys_")) return ok;
      asked.push({ hook, body, connection });
      return (await policy(hook, body, connection)) ?? ok;
    },
    { port, secret: hookSecret },
  );
  t.after(played.stop);
  return {
    ...played,
    url: `http://127.0.0.1:${played.port}`,
    asked,
    of: (hook) => asked.filter((one) => one.hook === hook).map((one) => one.body),
    answer: (next) => {
      policy = next;
    },
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
