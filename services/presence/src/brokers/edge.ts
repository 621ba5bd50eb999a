// Edges: `{"clients": [{client_id, connection_id, username, mountpoint, connected_at (ms), …}]}`. They share no list, so all are asked.
import type { AppError } from "@parley/protocol";
import { readClient, rowsOf } from "./ask.ts";
import type { Ask, Broker, BrokerClient, BrokerClients } from "./broker.ts";

export const edge: Broker = {
  authorization: (credential) => `Bearer ${credential}`,
  open: ofEdges,
};

/**
 * Where nobody listens no edge runs, and nobody is connected to it: the others answer for all, and any of them ends a
 * session that waits at the broker.
 */
function ofEdges(urls: readonly string[], ask: Ask): BrokerClients {
  async function askAll<T>(one: (url: string) => Promise<T>): Promise<T[]> {
    const answers = await Promise.allSettled(urls.map(one));
    const failed = answers.filter((answer) => answer.status === "rejected").map(({ reason }) => reason as AppError);
    const worst = failed.find((error) => !isRefused(error)) ?? (failed.length === urls.length ? failed[0] : undefined);
    if (worst !== undefined) throw worst;
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  }
  return {
    list: async () => (await askAll((url) => list(url, ask))).flat(),
    async disconnect(clientId) {
      await askAll((url) => ask(`${url}/clients/${encodeURIComponent(clientId)}`, "DELETE"));
    },
  };
}

async function list(url: string, ask: Ask): Promise<BrokerClient[]> {
  return rowsOf(await ask(`${url}/clients`), "clients").map((row) => {
    const { connection_id: connection, mountpoint } = row;
    // The edge lists whom it let in, by the name that it asked about.
    const client = readClient(row.client_id, row.username, row.connected_at);
    const hasTree = typeof mountpoint === "string" && mountpoint !== "";
    return {
      ...client,
      ...(typeof connection === "string" ? { connection } : {}),
      ...(hasTree ? { hasTree: true as const } : {}),
    };
  });
}

function isRefused({ cause }: AppError): boolean {
  const reason = cause instanceof Error ? (cause.cause as NodeJS.ErrnoException | undefined) : undefined;
  return reason?.code === "ECONNREFUSED";
}
