// The edge as a process, real Mosquitto, hooks that allow all, and what a router sends by: past the broker and through it.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, startBrokerSession } from "@parley/runtime";
import { endProcess, eventually, freePort, startServers, startServiceProcess, type TestContext } from "@parley/testkit";
import { hookSecret, startHookServer } from "../../../services/edge/test/surroundings.ts";
import { createSend } from "../../../services/router/src/deliver/send.ts";
import { openDirect } from "../../../services/router/src/direct/direct.ts";
import type { Kind, PlayedDevice } from "./played-device.ts";

export interface PlayedWorld {
  port: number;
  /** To devices: `m` to all of each one's user. */
  send(kind: Kind, number: number, to: readonly PlayedDevice[]): void;
  /** Copies that are neither confirmed nor at the broker. */
  underWay(): number;
  /** kill -9; another one is started at once. */
  killEdge(): Promise<void>;
}

export async function startPlayedWorld(t: TestContext): Promise<PlayedWorld> {
  const dir = await mkdtemp(join(tmpdir(), "parley-direct-"));
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const hooks = await startHookServer(t);
  const secrets = join(dir, "secrets");
  await mkdir(secrets);
  await writeFile(join(secrets, "services-secret"), mosquitto.password, { mode: 0o600 });
  await writeFile(join(secrets, "hook-secret"), hookSecret.padEnd(32, "-"), { mode: 0o600 });
  const [port, ws, admin, health] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const socket = join(dir, "direct.sock");
  const env = {
    ...process.env,
    PARLEY_DIR: dir,
    PARLEY_SECRETS: secrets,
    PARLEY_BROKER_URL: mosquitto.url,
    PARLEY_DIRECT_SOCKET: socket,
    EDGE_HOOKS_URL: hooks.url,
    EDGE_MQTT_PORT: String(port),
    EDGE_WS_PORT: String(ws),
    EDGE_ADMIN_PORT: String(admin),
    EDGE_HEALTH_PORT: String(health),
    EDGE_RATE_PACKETS: "10000",
    PARLEY_LOG_LEVEL: "error",
  };
  const start = () => startServiceProcess("edge", { env });
  let edge = start();
  const ready = () =>
    eventually(async () => (await fetch(`http://127.0.0.1:${health}/health/ready`)).ok, { intervalMs: 20 });
  await ready();
  const log = createLogger({ service: "router", level: "silent" });
  const session = startBrokerSession({
    url: mosquitto.url,
    clientId: "router-p0",
    username: "parley",
    password: mosquitto.password,
    cleanStart: false,
    sessionExpirySeconds: 3600,
    receiveMaximum: 100,
    maxInFlight: 1000,
    keepAliveSeconds: 10,
    subscriptions: [],
    log,
    onPacket: () => undefined,
  } as Parameters<typeof startBrokerSession>[0]);
  const direct = openDirect(socket, log);
  const sender = createSend(
    session,
    { offer: () => undefined, has: () => false },
    log,
    process.env.DIRECT === "0" ? {} : { direct },
  );
  t.after(async () => {
    direct.close();
    await session.close({ graceful: false });
    await endProcess(edge);
    await rm(dir, { recursive: true, force: true });
  });
  await session.whenConnected();
  let underWay = 0;
  return {
    port,
    send(kind, number, to) {
      const users = kind === "m" ? [...new Set(to.map(({ uid }) => uid))] : [];
      const devices = kind === "d" ? to.map(({ uid, clientId }) => ({ uid, clientId })) : [];
      underWay += 1;
      const payload = Buffer.from(`${kind} ${number} ${".".repeat(number % 200)}`);
      sender.kept(payload, { users, devices }).then(
        () => {
          underWay -= 1;
        },
        () => undefined,
      );
    },
    underWay: () => underWay,
    async killEdge() {
      await endProcess(edge);
      edge = start();
      await ready();
    },
  };
}
