// EMQX 5: `{"data": [{clientid, client_attrs, connected, connected_at (RFC 3339)}], "meta": {page, limit, hasnext}}`; those
// that are not connected have `disconnected_at`.
import { AppError, unmountedFilter } from "@parley/protocol";
import { basic, type Row, readClient, rowsOf } from "./ask.ts";
import type { Ask, AwaySession, Broker, BrokerClient } from "./broker.ts";

const pageClients = 1000;

export const emqx: Broker = {
  authorization: basic,
  open: (urls, ask) => ({
    list: async () => (await Promise.all(urls.map((url) => list(url, ask)))).flat(),
    away: async () => (await Promise.all(urls.map((url) => away(url, ask)))).flat(),
    async disconnect(clientId) {
      await Promise.all(urls.map((url) => ask(clientAt(url, clientId), "DELETE")));
    },
    // Without No Local the device would hear what it publishes.
    async subscribeAll(clientId) {
      const all = { topic: "#", qos: 1, nl: 1 };
      await Promise.all(urls.map((url) => ask(`${clientAt(url, clientId)}/subscribe`, "POST", all)));
    },
    async filtersOf(clientId, mountpoint) {
      const answers = await Promise.all(urls.map((url) => ask(`${clientAt(url, clientId)}/subscriptions`)));
      const topics = answers.flatMap((rows) => rowsOf({ rows }, "rows").map(({ topic }) => topic));
      return [...new Set(topics.filter((topic) => typeof topic === "string"))].map((topic) =>
        unmountedFilter(mountpoint, topic),
      );
    },
  }),
};

function clientAt(url: string, clientId: string): string {
  return `${url}/api/v5/clients/${encodeURIComponent(clientId)}`;
}

function list(url: string, ask: Ask): Promise<BrokerClient[]> {
  return pages(`${url}/api/v5/clients?conn_state=connected`, ask, (row) => (row.connected === true ? [read(row)] : []));
}

// EMQX before 5.8 answers all fields.
function away(url: string, ask: Ask): Promise<AwaySession[]> {
  const fields = "fields=clientid,client_attrs,connected,connected_at,disconnected_at";
  return pages(`${url}/api/v5/clients?conn_state=disconnected&${fields}`, ask, (row) => {
    if (row.connected !== false) return [];
    const { clientId, uid } = read(row);
    const since = typeof row.disconnected_at === "string" ? Date.parse(row.disconnected_at) : Number.NaN;
    if (Number.isNaN(since)) throw new AppError("unavailable", "the broker's list does not say since when one is away");
    return [{ clientId, uid, since }];
  });
}

async function pages<T>(url: string, ask: Ask, read: (row: Row) => T[]): Promise<T[]> {
  const found: T[] = [];
  for (let page = 1; ; page++) {
    const answered = await ask(`${url}&page=${page}&limit=${pageClients}`);
    const rows = rowsOf(answered, "data");
    for (const row of rows) found.push(...read(row));
    const meta = (answered as { meta?: { hasnext?: boolean; count?: number } }).meta;
    if (!(meta?.hasnext ?? (rows.length > 0 && page * pageClients < (meta?.count ?? 0)))) return found;
  }
}

/** At its boot EMQX takes connections before authentication is loaded: those have no attributes, and are nobody's. */
function read({ clientid, client_attrs: attributes, connected_at: at }: Row): BrokerClient {
  if (typeof attributes !== "object" || attributes === null)
    throw new AppError("unavailable", "the broker's list has no client_attrs");
  const { uid = "", mp = "" } = attributes as Row;
  const client = readClient(clientid, uid, typeof at === "string" ? Date.parse(at) : at);
  return mp === "" ? client : { ...client, hasTree: true };
}
