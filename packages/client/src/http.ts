// A method of the table as an HTTP call: login and registration, and whatever needs no connection.
import { AppError, type Method, type ParamsOf, type ResultOf, type WireError } from "@parley/protocol";

export interface HttpOptions {
  /** a user's token or a server key */
  token?: string;
  /** makes a changing method safe to send again for 24 h */
  idempotencyKey?: string;
  /** default 15,000 */
  timeoutMs?: number;
}

/**
 * Calls `method` at the server `base` (`http://127.0.0.1:8080`). Throws an AppError: the server's own, or `unavailable`
 * when there was no answer.
 */
export async function callHttp<M extends Method>(
  base: string,
  method: M,
  params: ParamsOf<M>,
  options: HttpOptions = {},
): Promise<ResultOf<M>> {
  const { url, body } = addressOf(base, method, params as Record<string, unknown>);
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  if (options.idempotencyKey !== undefined) headers["idempotency-key"] = options.idempotencyKey;
  const signal = AbortSignal.timeout(options.timeoutMs ?? 15_000);
  const init = { method: method.http.verb, headers, signal, ...(body === undefined ? {} : { body }) };
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new AppError("unavailable", `${new URL(base).origin} does not answer`, { cause });
  });
  return (await readAnswer(response)) as ResultOf<M>;
}

function addressOf(base: string, method: Method, params: Record<string, unknown>): { url: URL; body?: string } {
  const rest = new Map(Object.entries(params).filter(([, value]) => value !== undefined));
  const path = method.http.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest.get(name) ?? "");
    rest.delete(name);
    return encodeURIComponent(value);
  });
  const url = parseBase(base);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  const byQuery = method.http.verb === "GET" || method.http.verb === "DELETE";
  if (!byQuery) return { url, body: JSON.stringify(Object.fromEntries(rest)) };
  for (const [name, value] of rest) for (const one of [value].flat()) url.searchParams.append(name, String(one));
  return { url };
}

/** Throws `invalid_packet`. */
export function parseBase(base: string): URL {
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol))
    throw new AppError("invalid_packet", `the server's address is not a URL like http://127.0.0.1:8080: ${base}`);
  return new URL(base);
}

/** The JSON of an answer. Throws the server's AppError. */
export async function readAnswer(response: Response): Promise<unknown> {
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const error = (answer as { error?: WireError } | undefined)?.error;
  if (error?.code) throw AppError.fromWire(error);
  const code = response.status >= 500 ? "unavailable" : "internal";
  throw new AppError(code, `${new URL(response.url).host} answered ${response.status} and not as Parley does`);
}
