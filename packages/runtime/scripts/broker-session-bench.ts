// Throughput of one broker session that publishes to itself, QoS 1 both ways, beside MQTT.js on the same Mosquitto.
// node packages/runtime/scripts/broker-session-bench.ts [messages = 50000] [in flight = 400] [payload bytes = 300]
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { messagesTopic } from "@parley/protocol";
import { startServers, type TestServer } from "@parley/testkit";
import mqtt from "mqtt";
import { pino } from "pino";
import { startBrokerSession } from "../src/index.ts";

const [messages = 50_000, window = 400, payloadBytes = 300] = process.argv.slice(2).map(Number);
const payload = Buffer.alloc(payloadBytes, "x");
const topics = Array.from({ length: 100 }, (_, index) => messagesTopic(`user-${index}`));
const filter = messagesTopic("+");

type Client = { publish(topic: string): Promise<unknown>; close(): Promise<unknown> };
type Start = (server: TestServer, arrived: () => void) => Promise<Client>;

const startOurs: Start = async (server, arrived) => {
  const session = startBrokerSession({
    ...server,
    clientId: "ours",
    cleanStart: true,
    sessionExpirySeconds: 60,
    receiveMaximum: 1_000,
    keepAliveSeconds: 30,
    subscriptions: [{ topic: filter, qos: 1 }],
    log: pino({ level: "silent" }),
    onPacket(_packet, ack) {
      arrived();
      ack();
    },
  });
  await session.whenConnected();
  return {
    publish: (topic) => session.publish(topic, payload, 1),
    close: () => session.close({ graceful: true, waitMs: 5_000 }),
  };
};

const startMqttJs: Start = async ({ url, username, password }, arrived) => {
  const client = await mqtt.connectAsync(url, {
    username,
    password,
    protocolVersion: 5,
    properties: { receiveMaximum: 1_000 },
  });
  client.on("message", arrived);
  await client.subscribeAsync(filter, { qos: 1 });
  return { publish: (topic) => client.publishAsync(topic, payload, { qos: 1 }), close: () => client.endAsync() };
};

/** CPU time of another process, from /proc where there is one. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
    const ticks = Number(execFileSync("getconf", ["CLK_TCK"]).toString());
    return ((Number(fields[11]) + Number(fields[12])) / ticks) * 1e6;
  } catch {
    return Number.NaN;
  }
}

async function measure(name: string, start: Start, server: TestServer): Promise<void> {
  const sentAt: number[] = [];
  const latencies: number[] = [];
  let sent = 0;
  let finished: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const sendNext = () => {
    if (sent === messages) return;
    sentAt.push(performance.now());
    void client.publish(topics[sent++ % topics.length] as string);
  };
  const client = await start(server, () => {
    latencies.push(performance.now() - (sentAt[latencies.length] ?? 0));
    if (latencies.length === messages) finished();
    else sendNext();
  });
  const cpu = process.cpuUsage();
  const brokerCpu = cpuOf(server.pid());
  const began = performance.now();
  for (let index = 0; index < window; index++) sendNext();
  await done;
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const broker = cpuOf(server.pid()) - brokerCpu;
  await client.close();
  latencies.sort((a, b) => a - b);
  const percentile = (part: number) => (latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(1);
  const rate = Math.round(messages / seconds);
  const own = ((user + system) / messages).toFixed(1);
  const ends = `p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`;
  console.log(
    `${name.padEnd(15)} ${rate} msg/s, CPU ${own} µs/msg (broker ${(broker / messages).toFixed(1)}), ${ends}`,
  );
}

const cleanUps: (() => unknown)[] = [];
const { mosquitto } = await startServers({ after: (clean) => cleanUps.push(clean) }, { mosquitto: true });
console.log(`${messages} messages of ${payloadBytes} bytes, ${window} in flight, QoS 1 both ways, Mosquitto`);
for (let round = 0; round < 2; round++) {
  await measure("broker session", startOurs, mosquitto);
  await measure("MQTT.js", startMqttJs, mosquitto);
}
for (const clean of cleanUps) await clean();
