// How many decisions a second one auth-webhook makes: `node scripts/hooks-bench.ts [--seconds 5] [--devices 2000]`, on servers of its own.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { deviceTopics, subjects } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { answerJson, connectNats, createLogger, readSecrets, type Secrets } from "@parley/runtime";
import { eventually, freePort, startServers } from "@parley/testkit";
import { SignJWT } from "jose";
import { type HookFigures, runHookLoad } from "./hook-load.ts";

export interface HooksBench {
  /** base of a running auth-webhook's hooks */
  url: string;
  secrets: Secrets;
  connections: number;
  seconds: number;
  /** how many devices take turns; default 2,000 */
  devices?: number;
}

/** Connects by token, publishes and subscribes of made-up devices, one kind after the other. */
export async function benchHooks(bench: HooksBench): Promise<HookFigures[]> {
  const { url, secrets, connections, seconds, devices = 2000 } = bench;
  const clients = Array.from({ length: devices }, (_, i) => ({ username: `bench${i}`, client_id: `bench${i}:load` }));
  const registers = await Promise.all(
    clients.map(async (client) => {
      const password = await signToken(secrets.signingKey, client.username, client.client_id);
      return { peer_addr: "127.0.0.1", peer_port: 1, mountpoint: "", ...client, password, clean_session: true };
    }),
  );
  const topics = clients.map(({ username, client_id: id }) => deviceTopics(ingestPartition(id), username, id));
  const payload = Buffer.alloc(100, "x").toString("base64");
  const publishes = clients.map((client, i) => {
    const topic = topics[i]!.publish.msg;
    return { ...client, mountpoint: "", qos: 1, topic, payload, retain: false };
  });
  const subscribes = clients.map((client, i) => {
    return { ...client, mountpoint: "", topics: topics[i]!.subscribe.map((topic) => ({ topic, qos: 1 })) };
  });
  const load = { url, hookSecret: secrets.hookSecret, connections, seconds };
  return [
    await runHookLoad({ ...load, hook: "auth_on_register", bodies: registers }),
    await runHookLoad({ ...load, hook: "auth_on_publish", bodies: publishes }),
    await runHookLoad({ ...load, hook: "auth_on_subscribe", bodies: subscribes }),
  ];
}

function signToken(key: Uint8Array, sub: string, clientId: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub, clientId, jti: clientId, iat: now, exp: now + 86_400 };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(key);
}

/** Redis, NATS, one presence and one auth-webhook of this run's own; api's part is played here. */
async function startParts(after: (fn: () => unknown) => void) {
  const { redis, nats } = await startServers({ after }, { redis: true, nats: true });
  const dir = await mkdtemp(join(tmpdir(), "parley-hooks-bench-"));
  after(() => rm(dir, { recursive: true, force: true }));
  const played = await connectNats({
    url: nats.url,
    name: "hooks-bench",
    log: createLogger({ service: "bench", level: "warn" }),
  });
  after(() => played.close());
  answerJson(played, subjects.revocations, "api", () => ({ revocations: [], next: null }));
  answerJson(played, subjects.contacts, "api", () => ({ uids: [], lastSeen: "contacts" }));
  const [port, health] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
    PARLEY_DIR: dir,
    PARLEY_LOG_LEVEL: "warn",
    AUTH_WEBHOOK_PORT: String(port),
    AUTH_WEBHOOK_HEALTH_PORT: String(health),
    AUTH_WEBHOOK_DEVICE_CONNECT_RATE: "1000000000",
  };
  for (const service of ["presence", "auth-webhook"]) {
    const main = join(import.meta.dirname, "../..", service, "src/main.ts");
    const child = spawn(process.execPath, [main], { env, stdio: "inherit" });
    after(() => child.kill());
  }
  await eventually(async () => (await fetch(`http://127.0.0.1:${health}/health/ready`)).ok);
  return { url: `http://127.0.0.1:${port}`, secrets: readSecrets(join(dir, "secrets")) };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "5" },
      connections: { type: "string", default: "32" },
      devices: { type: "string", default: "2000" },
    },
  });
  const cleanUps: (() => unknown)[] = [];
  try {
    const parts = await startParts((fn) => void cleanUps.unshift(fn));
    const [seconds, connections, devices] = [values.seconds, values.connections, values.devices].map(Number);
    console.table(await benchHooks({ ...parts, seconds: seconds!, connections: connections!, devices: devices! }));
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}
