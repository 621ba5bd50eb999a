// Servers that come back without their data: the broker without its sessions, NATS without JetStream's streams.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import type { ServerName } from "../parts/servers.ts";

const dataOf = { mosquitto: "mosquitto.db", "nats-server": "jetstream" } as const;

/** Ends the server, deletes what it keeps on disk, starts it; resolves when it answers. */
export async function restartWithoutData(
  cluster: Pick<Cluster, "dir" | "stopPart" | "startPart" | "waitReady">,
  server: ServerName & keyof typeof dataOf,
): Promise<void> {
  await cluster.stopPart(server);
  await rm(join(cluster.dir, server, dataOf[server]), { recursive: true, force: true });
  await cluster.startPart(server);
  await cluster.waitReady(server);
}
