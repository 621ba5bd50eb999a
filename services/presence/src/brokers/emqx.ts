// EMQX 5: `{"data": [{clientid, client_attrs, connected, connected_at (RFC 3339)}], "meta": {page, limit, hasnext}}`.
import { AppError } from "@parley/protocol";
import { basic, type Row, readClient, rowsOf } from "./ask.ts";
import type { Ask, Broker, BrokerClient } from "./broker.ts";

const pageClients = 1000;

export const emqx: Broker = {
  authorization: basic,
  open: (urls, ask) => ({
    list: async () => (await Promise.all(urls.map((url) => list(url, ask)))).flat(),
    async disconnect(clientId) {
      await Promise.all(urls.map((url) => ask(`${url}/api/v5/clients/${encodeURIComponent(clientId)}`, "DELETE")));
    },
  }),
};

async function list(url: string, ask: Ask): Promise<BrokerClient[]> {
  const clients: BrokerClient[] = [];
  for (let page = 1; ; page++) {
    const query = `page=${page}&limit=${pageClients}&conn_state=connected`;
    const answered = await ask(`${url}/api/v5/clients?${query}`);
    const rows = rowsOf(answered, "data");
    for (const row of rows) if (row.connected === true) clients.push(read(row));
    const meta = (answered as { meta?: { hasnext?: boolean; count?: number } }).meta;
    if (!(meta?.hasnext ?? (rows.length > 0 && page * pageClients < (meta?.count ?? 0)))) return clients;
  }
}

/** At its boot EMQX takes connections before authentication is loaded: those have no attributes, and are nobody's. */
function read({ clientid, client_attrs: attributes, connected_at: at }: Row): BrokerClient {
  if (typeof attributes !== "object" || attributes === null)
    throw new AppError("unavailable", "the broker's list has no client_attrs");
  return readClient(clientid, (attributes as Row).uid ?? "", typeof at === "string" ? Date.parse(at) : at);
}
