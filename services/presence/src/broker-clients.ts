// The broker's own list of connected clients, and how to end one: of the edge, EMQX 5 and VerneMQ 2.
import { AppError } from "@parley/protocol";

export interface BrokerClient {
  clientId: string;
  /** unix ms; undefined where the broker does not tell */
  connectedAt: number | undefined;
  /** the connection's name, where the broker has one */
  connection?: string;
}

export interface BrokerClients {
  /** All that are connected now. Throws AppError `unavailable` unless it is all of them. */
  list(): Promise<BrokerClient[]>;
  /** Ends the connection and its session; a client that is not there is fine. Throws AppError `unavailable`. */
  disconnect(clientId: string): Promise<void>;
}

export interface BrokerClientsOptions {
  broker: "edge" | "emqx" | "vernemq";
  urls: readonly string[];
  /** edge: the services' secret; emqx: `key:secret`; vernemq: an API key */
  credential: string;
}

type Row = Record<string, unknown>;

const answerMs = 10_000;
const emqxPage = 1000;
const vernemqRows = 1_000_000;

export function openBrokerClients({ broker, urls, credential }: BrokerClientsOptions): BrokerClients {
  const basic = `Basic ${Buffer.from(broker === "vernemq" ? `${credential}:` : credential).toString("base64")}`;
  const authorization = broker === "edge" ? `Bearer ${credential}` : basic;
  const ask: Ask = (url, method = "GET") => askBroker(url, method, authorization);
  if (broker === "edge") return ofEdges(urls, ask);
  const one = { emqx, vernemq }[broker];
  return {
    async list() {
      return (await Promise.all(urls.map((url) => one.list(url, ask)))).flat();
    },
    async disconnect(clientId) {
      await Promise.all(urls.map((url) => one.disconnect(url, clientId, ask)));
    },
  };
}

/**
 * Edges share no list, so all are asked. Where nobody listens no edge runs, and nobody is connected to it: the others
 * answer for all, and any of them ends a session that waits at the broker.
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
    list: async () => (await askAll((url) => edge.list(url, ask))).flat(),
    async disconnect(clientId) {
      await askAll((url) => edge.disconnect(url, clientId, ask));
    },
  };
}

function isRefused({ cause }: AppError): boolean {
  const reason = cause instanceof Error ? (cause.cause as NodeJS.ErrnoException | undefined) : undefined;
  return reason?.code === "ECONNREFUSED";
}

type Ask = (url: string, method?: "GET" | "DELETE") => Promise<unknown>;

interface Reader {
  list(url: string, ask: Ask): Promise<BrokerClient[]>;
  disconnect(url: string, clientId: string, ask: Ask): Promise<unknown>;
}

/** `{"clients": [{client_id, connection_id, connected_at (ms), …}]}` */
const edge: Reader = {
  async list(url, ask) {
    return rowsOf(await ask(`${url}/clients`), "clients").map((row) => {
      const { connection_id: connection } = row;
      return { ...client(row.client_id, row.connected_at), ...(typeof connection === "string" ? { connection } : {}) };
    });
  },
  disconnect: (url, clientId, ask) => ask(`${url}/clients/${encodeURIComponent(clientId)}`, "DELETE"),
};

/** EMQX 5 REST: `{"data": [{clientid, connected, connected_at (RFC 3339)}], "meta": {page, limit, hasnext}}` */
const emqx: Reader = {
  async list(url, ask) {
    const clients: BrokerClient[] = [];
    for (let page = 1; ; page++) {
      const query = `page=${page}&limit=${emqxPage}&conn_state=connected`;
      const answered = await ask(`${url}/api/v5/clients?${query}`);
      const rows = rowsOf(answered, "data");
      for (const row of rows) {
        const connectedAt = typeof row.connected_at === "string" ? Date.parse(row.connected_at) : row.connected_at;
        if (row.connected === true) clients.push(client(row.clientid, connectedAt));
      }
      const meta = (answered as { meta?: { hasnext?: boolean; count?: number } }).meta;
      if (!(meta?.hasnext ?? (rows.length > 0 && page * emqxPage < (meta?.count ?? 0)))) return clients;
    }
  },
  disconnect: (url, clientId, ask) => ask(`${url}/api/v5/clients/${encodeURIComponent(clientId)}`, "DELETE"),
};

/** VerneMQ HTTP API: `{"type": "table", "table": [{client_id, is_online, session_started_at (ms)}]}`, 100 rows a node unless asked for more. */
const vernemq: Reader = {
  async list(url, ask) {
    const query = `--client_id&--is_online&--session_started_at&--limit=${vernemqRows}`;
    const rows = rowsOf(await ask(`${url}/api/v1/session/show?${query}`), "table");
    if (rows.length >= vernemqRows) throw new AppError("unavailable", `more than ${vernemqRows} sessions`);
    return rows
      .filter((row) => row.is_online === true || row.is_online === "true")
      .map((row) => client(row.client_id, row.session_started_at));
  },
  disconnect: (url, clientId, ask) =>
    ask(`${url}/api/v1/session/disconnect?client-id=${encodeURIComponent(clientId)}&--cleanup`),
};

async function askBroker(url: string, method: "GET" | "DELETE", authorization: string): Promise<unknown> {
  const where = new URL(url).pathname;
  let response: Response;
  try {
    const headers = { authorization, accept: "application/json" };
    response = await fetch(url, { method, headers, signal: AbortSignal.timeout(answerMs) });
    if (method === "DELETE" && response.status === 404) return undefined;
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.message} ${(cause.cause as Error)?.message ?? ""}`.trim() : cause;
    throw new AppError("unavailable", `the broker's ${where}: ${reason}`, { cause });
  }
}

function rowsOf(answered: unknown, field: string): Row[] {
  const rows = (answered as Row | undefined)?.[field];
  if (!Array.isArray(rows)) throw new AppError("unavailable", `the broker's answer has no list of ${field}`);
  return rows as Row[];
}

function client(clientId: unknown, connectedAt: unknown): BrokerClient {
  if (typeof clientId !== "string") throw new AppError("unavailable", "the broker's list names no client id");
  const at = typeof connectedAt === "number" && Number.isFinite(connectedAt) ? connectedAt : undefined;
  return { clientId, connectedAt: at };
}
