// A broker's HTTP API as setup asks it: JSON in and out, and every failure in words that say what to look at.
import { AppError } from "@parley/client";

export interface AdminApi {
  /** Answers what was said, or undefined where the API has no such thing (404). */
  ask(path: string, method?: "GET" | "POST" | "PUT" | "DELETE", body?: Body): Promise<unknown>;
}

/** An object goes as JSON. A text goes as text/plain. */
type Body = object | string;

interface Options {
  url: string;
  authorization: string;
  /** what the key is called where it is given */
  keyName: string;
  title: string;
}

const answerMs = 10_000;

export function openAdminApi({ url, authorization, keyName, title }: Options): AdminApi {
  const base = url.replace(/\/+$/, "");
  return {
    async ask(path, method = "GET", body) {
      const { status, text } = await send(`${base}${path}`, method, body);
      if (status === 401)
        throw new AppError("unauthenticated", `${title} at ${base} does not take the key of ${keyName}`);
      if (status === 403)
        throw new AppError("forbidden", `${title} at ${base}: the key of ${keyName} may not do this (${words(text)})`);
      if (status === 404 && isJson(text)) return undefined;
      const where = `${title} at ${base}, ${method} ${path.split("?")[0]}`;
      if (!isJson(text)) throw new Error(`${where}: ${notTheApi(status, text, title)}`);
      if (status >= 400) throw new Error(`${where}: ${status} ${words(text)}`);
      return text === "" ? undefined : JSON.parse(text);
    },
  };

  async function send(
    address: string,
    method: string,
    body: Body | undefined,
  ): Promise<{ status: number; text: string }> {
    const type = typeof body === "string" ? "text/plain" : "application/json";
    const headers = {
      authorization,
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": type }),
    };
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    try {
      const response = await fetch(address, {
        method,
        headers,
        redirect: "manual",
        signal: AbortSignal.timeout(answerMs),
        ...sent,
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      const reason = ((cause as Error).cause as Error | undefined)?.message || (cause as Error).message;
      // So fetch calls a port of another protocol, which it asks nothing.
      const seen = reason === "bad port" ? "" : `${reason}; `;
      throw new AppError("unavailable", `${title} at ${base} does not answer: ${seen}check host and port`, { cause });
    }
  }
}

function isJson(text: string): boolean {
  if (text === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function notTheApi(status: number, text: string, title: string): string {
  const isPage = /^\s*</.test(text);
  if (!isPage && status >= 400) return `${status} ${words(text)}`;
  return `it answered ${status} with ${isPage ? "a web page" : "no JSON"}: is this ${title}'s HTTP API, or does a proxy answer?`;
}

/** What the broker says of it, in one line. */
function words(text: string): string {
  try {
    const { code, message, reason } = JSON.parse(text) as Record<string, unknown>;
    const said = [code, message, reason].filter((one) => typeof one === "string").join(": ");
    return (said || text).slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}
