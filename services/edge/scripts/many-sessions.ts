// What an edge does that starts beside a broker with the records of many sessions: its memory, how long its turns are, and
// what devices wait for meanwhile.
// node services/edge/scripts/many-sessions.ts [--sessions 200000] [--seconds 150]
import { fork } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createHealth, createLogger, createMetrics, readConfig } from "@parley/runtime";
import { startServers } from "@parley/testkit";
import mqtt from "mqtt";
import { readBroker, visitBroker } from "../src/broker/broker.ts";
import { openRecords } from "../src/broker/records.ts";
import { settings } from "../src/config.ts";
import { startEdge } from "../src/service.ts";
import { playHooks } from "../test/played-hooks.ts";

const { values: options } = parseArgs({
  options: {
    sessions: { type: "string", default: "200000" },
    seconds: { type: "string", default: "150" },
    serve: { type: "string" },
  },
});

interface Served {
  port?: number;
  rssMiB: number;
  /** ms, of the last second */
  longestTurn: number;
}

if (options.serve === undefined) await main();
else await serve(JSON.parse(options.serve) as { env: Record<string, string>; password: string });

/** The edge in a process of its own, which says every second how it is. */
async function serve({ env, password }: { env: Record<string, string>; password: string }): Promise<void> {
  const turns = monitorEventLoopDelay({ resolution: 1 });
  const edge = await startEdge(readConfig(settings, env), {
    instance: "many-sessions",
    log: createLogger({ service: "edge", level: "silent" }),
    health: createHealth(),
    metrics: createMetrics("edge"),
    secrets: () => ({ signingKey: Buffer.alloc(32), servicesSecret: password, hookSecret: "a-hook-secret" }),
    secretText: () => "",
    pass: () => undefined,
    draining: new AbortController().signal,
    closing: (_, step) => step(),
  });
  turns.enable();
  const tell = (port?: number): void => {
    const told: Served = { rssMiB: process.memoryUsage().rss / 2 ** 20, longestTurn: turns.max / 1e6 };
    process.send!({ ...told, port });
    turns.reset();
  };
  tell(edge.ports.mqtt);
  setInterval(tell, 1000);
}

async function main(): Promise<void> {
  const closers: (() => unknown)[] = [];
  const { mosquitto } = await startServers({ after: (fn) => void closers.unshift(fn) }, { mosquitto: true });
  const asked = new Map<string, number>();
  const hooks = await playHooks((hook) => {
    asked.set(hook, (asked.get(hook) ?? 0) + 1);
    return { body: { result: "ok" } };
  });
  await writeSessions(readBroker(mosquitto.url, mosquitto.password, 60_000), Number(options.sessions));
  const env = {
    PARLEY_BROKER_URL: mosquitto.url,
    EDGE_HOOKS_URL: `http://127.0.0.1:${hooks.port}`,
    ...{ EDGE_MQTT_PORT: "0", EDGE_WS_PORT: "0", EDGE_ADMIN_PORT: "0" },
  };
  const served = JSON.stringify({ env, password: mosquitto.password });
  const child = fork(import.meta.filename, ["--serve", served], { execArgv: process.execArgv });
  closers.unshift(() => child.kill());
  const port = await new Promise<number>((resolve) => child.once("message", ({ port }: Served) => resolve(port!)));
  const waits = await openWaits(port, closers);
  child.on("message", ({ rssMiB, longestTurn }: Served) => {
    const { most, p99 } = waits.take();
    const line = { rssMiB, longestTurn, deviceP99: p99, deviceMost: most, isConnected: asked.get("is_connected") ?? 0 };
    const rounded = Object.entries(line).map(([name, value]) => `${name} ${value.toFixed(1)}`);
    process.stdout.write(`${(performance.now() / 1000).toFixed(0)} s: ${rounded.join("  ")}\n`);
  });
  await sleep(1000 * Number(options.seconds));
  for (const close of closers) await close();
  await hooks.stop();
  process.exit();
}

async function writeSessions(broker: Parameters<typeof visitBroker>[0], count: number): Promise<void> {
  const records = openRecords();
  for (let index = 0; index < count; index++) {
    const clientId = `user${index % 20_000}:device-${index}`;
    const connectionId = `connection-${index}`;
    records.keep(clientId, { username: `user${index % 20_000}`, sessionExpirySeconds: 3600, connectionId });
  }
  for (let changes = records.changes(); changes.packets.length > 0; changes = records.changes()) {
    const heard = await visitBroker(broker, "sys_writer", {
      filters: ["nothing"],
      packets: changes.packets,
      onPublish() {},
    });
    if (!heard) throw new Error("the broker did not take the records");
    changes.written();
  }
}

/** A device that publishes to itself a hundred times a second: ms until each is back. */
async function openWaits(port: number, closers: (() => unknown)[]) {
  const login = { clientId: "honest:1", username: "honest", password: "x", protocolVersion: 5 as const };
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, login);
  closers.unshift(() => client.end(true));
  let waits: number[] = [];
  client.on("message", (_, payload) => waits.push(performance.now() - Number(payload.toString())));
  await client.subscribeAsync("honest", { qos: 1 });
  const timer = setInterval(() => client.publish("honest", String(performance.now()), { qos: 1 }), 10);
  closers.unshift(() => clearInterval(timer));
  return {
    take() {
      const sorted = waits.toSorted((one, other) => one - other);
      waits = [];
      return { most: sorted.at(-1) ?? 0, p99: sorted[Math.floor(0.99 * sorted.length)] ?? 0 };
    },
  };
}
