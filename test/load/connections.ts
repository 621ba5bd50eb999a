// Memory: what the parts take at rest, and what a thousand connected devices add.

import type { Cluster } from "@parley/testkit";
import { connectAsync, type MqttClient } from "mqtt";
import type { People } from "./people.ts";
import { type ByPart, difference, residentMiB } from "./processes.ts";
import { pause } from "./saturate.ts";

const devices = 1_000;
const together = 50;
const settleSeconds = 3;

/** Connects 1,000 devices of one user through the edge, each subscribed to its topics. MiB. */
export async function measureConnections(
  cluster: Cluster,
  people: People,
): Promise<{ restMiB: ByPart; perThousandConnectionsMiB: ByPart }> {
  await pause(settleSeconds);
  const before = residentMiB(cluster.run().processes);
  const { host, port } = cluster.run().mqtt;
  const { username, password } = people.atBroker(0).receiver;
  const clients: MqttClient[] = [];
  for (let from = 0; from < devices; from += together) {
    const batch = Array.from({ length: together }, (_, index) =>
      connectAsync(`mqtt://${host}:${port}`, {
        username,
        password,
        clientId: `sys_bench:${from + index}`,
        reconnectPeriod: 0,
      }),
    );
    clients.push(...(await Promise.all(batch)));
  }
  await pause(settleSeconds);
  const after = residentMiB(cluster.run().processes);
  await Promise.all(clients.map((client) => client.endAsync(true)));
  return { restMiB: before, perThousandConnectionsMiB: difference(after, before, devices / 1_000) };
}
