// Everything on this machine, as `npm start` has it: Mosquitto behind the edge.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callHttp } from "@parley/client";
import { keysCreate } from "@parley/protocol";
import { startCluster } from "@parley/testkit";
import type { System } from "./world.ts";

/** The cases make more connections and logins a minute than honest people do. */
const env = {
  GUESTS: "visitor:a-guests-word:lobby",
  AUTH_WEBHOOK_STRANGER_CONNECTS: "1000",
  API_ADDRESS_RATE: "1000",
  API_ADDRESS_BURST: "5000",
  PARLEY_LOG_LEVEL: "warn",
};

/** `after` is told what ends it. */
export async function startHere(
  after: (end: () => Promise<unknown>) => void,
  log: (line: string) => void,
): Promise<System & { urls: string[] }> {
  const dir = await mkdtemp(join(tmpdir(), "parley-conformance-"));
  const cluster = await startCluster({ dir, log, env });
  after(async () => {
    await cluster.close();
    await rm(dir, { recursive: true, force: true });
  });
  const { http: api, mqtt } = cluster.run();
  const { key } = await callHttp(api, keysCreate, { name: "conformance" }, { token: cluster.servicesSecret });
  const guest = { name: "visitor", password: "a-guests-word", prefix: "lobby" };
  return { api, key, guest, urls: [`mqtt://${mqtt.host}:${mqtt.port}`, mqtt.ws] };
}
