// Stock clients: mosquitto_pub, mosquitto_sub and mosquitto_rr with nothing but what login answers.
import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { callHttp, type Session } from "@parley/client";
import { login } from "@parley/protocol";
import { type Cluster, eventually, type TestContext } from "@parley/testkit";
import { connectAsync } from "mqtt";
import { password } from "./people.ts";

const run = promisify(execFile);

export type Version = "mqttv311" | "mqttv5";

/** A session for a stock client. */
export function logIn(cluster: Cluster, uid: string, device: string): Promise<Session> {
  return callHttp(cluster.run().http, login, { username: uid, password, device });
}

function connectArgs({ clientId, mqtt }: Session, version: Version): string[] {
  const credentials = ["-u", mqtt.username, "-P", mqtt.password];
  return ["-h", mqtt.host, "-p", `${mqtt.port}`, "-i", clientId, ...credentials, "-V", version, "-q", "1"];
}

/** mosquitto_pub: resolves at the broker's PUBACK. */
export async function publish(session: Session, packet: unknown, version: Version = "mqttv311"): Promise<void> {
  const args = ["-t", session.topics.publish.msg, "-m", JSON.stringify(packet)];
  await run("mosquitto_pub", [...connectArgs(session, version), ...args], { timeout: 10_000 });
}

/** mosquitto_sub on the session's topics; resolves when it is subscribed. */
export async function subscribe(t: TestContext, session: Session, version: Version = "mqttv311") {
  const topics = session.topics.subscribe.flatMap((topic) => ["-t", topic]);
  // Its output goes through a pipe, where it writes block by block unless told otherwise.
  const args = ["-oL", "mosquitto_sub", ...connectArgs(session, version), ...topics, "-v", "-d"];
  const child = spawn("stdbuf", args, { stdio: ["ignore", "pipe", "inherit"] });
  // SIGTERM can leave it waiting for ever: its handler takes a lock that the interrupted code may hold (2.0.11).
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await eventually(() => output.includes("Subscribed"));
  const packets = () =>
    output
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("im/"))
      .map((line) => JSON.parse(line.slice(line.indexOf(" ") + 1)) as Record<string, unknown>);
  return { packets };
}

/** mosquitto_rr: publishes `payload` and answers the first packet on the device's own topic. */
export async function ask(session: Session, topic: string, payload: string): Promise<Record<string, unknown>> {
  const args = ["-t", topic, "-e", session.topics.subscribe[2] ?? "", "-m", payload, "-W", "10"];
  const { stdout } = await run("mosquitto_rr", [...connectArgs(session, "mqttv5"), ...args], { timeout: 15_000 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The same for bytes that no command line can carry. */
export async function askBytes(session: Session, topic: string, payload: Buffer): Promise<Record<string, unknown>> {
  const { clientId, mqtt, topics } = session;
  const client = await connectAsync(`mqtt://${mqtt.host}:${mqtt.port}`, { ...mqtt, clientId });
  try {
    await client.subscribeAsync(topics.subscribe[2] ?? "", { qos: 1 });
    const answered = new Promise<Buffer>((resolve) => client.once("message", (_topic, answer) => resolve(answer)));
    await client.publishAsync(topic, payload, { qos: 1 });
    return JSON.parse(`${await answered}`) as Record<string, unknown>;
  } finally {
    await client.endAsync(true);
  }
}
