// One question to a broker's HTTP API, and its rows read strictly: half an answer is none.
import { AppError } from "@parley/protocol";
import type { BrokerClient } from "./broker.ts";

export type Row = Record<string, unknown>;

const answerMs = 10_000;
const otherSecret =
  "it does not take the credential: is PRESENCE_BROKER_API_KEY the broker's, or at edges services-secret of PARLEY_SECRETS theirs?";

/** What is to be ended or subscribed for a client that is not there is fine. */
export async function askBroker(
  url: string,
  { method, body, authorization }: { method: string; body: object | undefined; authorization: string },
): Promise<unknown> {
  const where = new URL(url).pathname;
  let response: Response;
  try {
    const headers = { authorization, accept: "application/json", "content-type": "application/json" };
    const asked = { method, headers, signal: AbortSignal.timeout(answerMs) };
    response = await fetch(url, body === undefined ? asked : { ...asked, body: JSON.stringify(body) });
    if (method !== "GET" && response.status === 404) return undefined;
    if (response.status === 401 || response.status === 403)
      throw new Error(`status ${response.status}: ${otherSecret}`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.message} ${(cause.cause as Error)?.message ?? ""}`.trim() : cause;
    throw new AppError("unavailable", `the broker's ${where}: ${reason}`, { cause });
  }
}

export function rowsOf(answered: unknown, field: string): Row[] {
  const rows = (answered as Row | undefined)?.[field];
  if (!Array.isArray(rows)) throw new AppError("unavailable", `the broker's answer has no list of ${field}`);
  return rows as Row[];
}

/** Throws AppError `unavailable` for a row that names no client id, or not whom it was authenticated as: then "" is nobody. */
export function readClient(clientId: unknown, uid: unknown, connectedAt: unknown): BrokerClient {
  if (typeof clientId !== "string") throw new AppError("unavailable", "the broker's list names no client id");
  if (typeof uid !== "string") throw new AppError("unavailable", "the broker's list names no user");
  const at = typeof connectedAt === "number" && Number.isFinite(connectedAt) ? connectedAt : undefined;
  return { clientId, uid: uid === "" ? undefined : uid, connectedAt: at };
}

export function basic(credential: string): string {
  return `Basic ${Buffer.from(credential).toString("base64")}`;
}
