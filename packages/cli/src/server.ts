// Which server is meant: --server, PARLEY_URL, or what runs on this machine.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./failure.ts";

export interface Server {
  url: string;
  /** logins that a local cluster offers */
  demo: { username: string; password: string }[];
}

const fallback = "http://127.0.0.1:8080";

export function findServer(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): Server {
  const local = readRunFile(join(env.PARLEY_DIR ?? ".parley", "run.json"));
  const given = flag ?? env.PARLEY_URL;
  if (given !== undefined) return { url: originOf(given), demo: local?.url === originOf(given) ? local.demo : [] };
  return local ?? { url: fallback, demo: [] };
}

function originOf(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new UsageError(`--server ${text}: an address like ${fallback} is needed`);
  return text.replace(/\/+$/, "");
}

function readRunFile(path: string): Server | undefined {
  try {
    const { http, demo } = JSON.parse(readFileSync(path, "utf8")) as { http: string; demo?: Server["demo"] };
    return { url: originOf(http), demo: demo ?? [] };
  } catch {
    // Not there, or being written: nothing runs here.
    return undefined;
  }
}
