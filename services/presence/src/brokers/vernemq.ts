// VerneMQ 2: `{"type": "table", "table": [{client_id, user, is_online, session_started_at (ms)}]}`.
import { AppError } from "@parley/protocol";
import { basic, readClient, rowsOf } from "./ask.ts";
import type { Ask, Broker, BrokerClient } from "./broker.ts";

/** A node answers 100 rows unless asked for more. */
const rowsAtMost = 1_000_000;
/** A row that takes longer is left out without a word: then the list would miss who is connected. Default 100 ms. */
const rowMs = 5000;

export const vernemq: Broker = {
  authorization: (key) => basic(`${key}:`),
  open(urls, ask) {
    const askAll = (path: string) => Promise.all(urls.map((url) => ask(`${url}/api/v1/${path}`)));
    return {
      list: async () => (await Promise.all(urls.map((url) => list(url, ask)))).flat(),
      async disconnect(clientId) {
        await askAll(`session/disconnect?client-id=${encodeURIComponent(clientId)}&--cleanup`);
      },
      async tidy() {
        await askAll("webhooks/cache/clear");
      },
    };
  },
};

async function list(url: string, ask: Ask): Promise<BrokerClient[]> {
  const columns = "--client_id&--user&--is_online&--session_started_at";
  const answered = await ask(`${url}/api/v1/session/show?${columns}&--limit=${rowsAtMost}&--rowtimeout=${rowMs}`);
  const rows = rowsOf(answered, "table");
  if (rows.length >= rowsAtMost) throw new AppError("unavailable", `more than ${rowsAtMost} sessions`);
  return rows
    .filter((row) => row.is_online === true || row.is_online === "true")
    .map((row) => readClient(row.client_id, row.user, row.session_started_at));
}
