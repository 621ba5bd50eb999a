// Asks VerneMQ's webhooks of auth-webhook: keep-alive HTTP, round-robin with failover, and no answer means no.
import { Agent, request } from "node:http";
import { type Logger, openReminders, openTurns } from "@parley/runtime";

export type HookName =
  | "auth_on_register"
  | "auth_on_register_m5"
  | "auth_on_publish"
  | "auth_on_publish_m5"
  | "auth_on_subscribe"
  | "auth_on_subscribe_m5"
  | "on_subscribe"
  | "on_unsubscribe"
  | "on_client_wakeup"
  | "on_client_offline"
  | "on_client_gone"
  | "on_session_expired"
  /** ours: is the client id connected to any edge, by another connection if one is named? `{"error": "connected"}` is yes */
  | "is_connected";

export interface HookAnswer {
  verdict: "ok" | "refused" | "failed";
  /** the hook's word for a refusal, or what went wrong when it failed */
  error: string;
  /** of Cache-Control; 0 when the answer may not be kept */
  maxAgeSeconds: number;
  /** the body as it came; only its `result` has been checked */
  body: Record<string, unknown>;
}

/** Words of a refusal that is not about what was asked: later it may be a yes. */
const passingErrors = ["server_unavailable", "unavailable", "server_busy"];

/** Is this a hook's last word? */
export function isDecided({ verdict, error }: HookAnswer): boolean {
  return verdict === "ok" || (verdict === "refused" && !passingErrors.includes(error));
}

export interface Hooks {
  /** Never rejects: a hook that is down, slow or talks nonsense has `failed`. */
  ask(hook: HookName, body: object): Promise<HookAnswer>;
  close(): void;
}

interface Endpoint {
  url: URL;
  /** its last question failed */
  failing: boolean;
  restsUntil: number;
  /** one question finds out whether it is back; the others go elsewhere */
  tried: boolean;
}

const restMs = 1000;
/** Sockets kept to each replica. */
const socketsEach = 64;

/** How many sockets there are at most. */
export function hookSockets(urls: readonly string[]): number {
  return urls.length * socketsEach;
}

/** Whoever waits to get in comes first: its time runs out soonest. What is told of sessions can wait. */
function rankOf(hook: HookName): 0 | 1 | 2 {
  if (hook === "auth_on_register" || hook === "auth_on_register_m5") return 0;
  return hook.startsWith("auth_") ? 1 : 2;
}

const maxAnswerBytes = 1024 * 1024;

/** `urls` are the bases of one or more replicas; `timeoutMs` bounds one question, all its attempts together. */
export function startHooks({
  urls,
  secret,
  timeoutMs,
  log,
  onAnswer,
}: {
  urls: string[];
  secret: string;
  timeoutMs: number;
  log: Logger;
  onAnswer: (hook: HookName, answer: HookAnswer) => void;
}): Hooks {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: socketsEach,
    maxFreeSockets: socketsEach,
    scheduling: "lifo",
  });
  const endpoints: Endpoint[] = urls.map((url) => {
    return { url: hookUrl(url, secret), failing: false, restsUntil: 0, tried: false };
  });
  // What waits for a socket waits here, and its time has not begun.
  const turns = openTurns({ atOnce: hookSockets(urls) });
  const reminders = openReminders();
  let turn = 0;

  /** The next replica; one that failed gets one question a second until it answers, unless all did. */
  function choose(): Endpoint {
    turn = (turn + 1) % endpoints.length;
    const now = performance.now();
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[(turn + step) % endpoints.length]!;
      if (!endpoint.failing) return endpoint;
      if (endpoint.tried || endpoint.restsUntil > now) continue;
      endpoint.tried = true;
      return endpoint;
    }
    return endpoints[turn]!;
  }

  function judge(endpoint: Endpoint, failed: boolean): void {
    endpoint.tried = false;
    endpoint.failing = failed;
    if (failed) endpoint.restsUntil = performance.now() + restMs;
  }

  /** Every device's question fails while nobody answers: one line in ten seconds says it. */
  function sayFailed(hook: HookName, reason: string): void {
    if (reminders.isDue(`${hook} ${reason}`)) log.warn({ event: "hook_failed", hook, reason });
  }

  async function ask(hook: HookName, body: object): Promise<HookAnswer> {
    const done = await turns.take({ rank: rankOf(hook) });
    try {
      return await askInTurn(hook, body);
    } finally {
      done?.();
    }
  }

  async function askInTurn(hook: HookName, body: object): Promise<HookAnswer> {
    const bytes = Buffer.from(JSON.stringify(body));
    const attempts = Math.max(2, endpoints.length);
    const deadline = performance.now() + timeoutMs;
    let answer = failed("no_attempt");
    for (let attempt = 0; attempt < attempts && performance.now() < deadline; attempt++) {
      const endpoint = choose();
      // A replica that hangs may not use up the time of the others.
      const share = endpoints.length > 1 && attempt < endpoints.length - 1 ? endpoints.length : 1;
      answer = await post(agent, endpoint.url, hook, bytes, (deadline - performance.now()) / share);
      judge(endpoint, answer.verdict === "failed");
      if (answer.verdict !== "failed") break;
    }
    if (answer.verdict === "failed") sayFailed(hook, answer.error);
    onAnswer(hook, answer);
    return answer;
  }

  return { ask, close: () => agent.destroy() };
}

function hookUrl(base: string, secret: string): URL {
  return new URL(`${base.replace(/\/+$/, "")}/vernemq/${encodeURIComponent(secret)}`);
}

function post(agent: Agent, url: URL, hook: HookName, body: Buffer, timeoutMs: number): Promise<HookAnswer> {
  return new Promise((resolve) => {
    const asked = { "vernemq-hook": hook, "parley-asker": "edge" };
    const headers = { "content-type": "application/json", "content-length": body.length, ...asked };
    const req = request(url, { agent, method: "POST", headers }, (res) => {
      const parts: Buffer[] = [];
      let size = 0;
      res.on("data", (part: Buffer) => {
        size += part.length;
        if (size > maxAnswerBytes) req.destroy(new Error("answer_too_large"));
        else parts.push(part);
      });
      res.on("end", () => settle(readAnswer(res.statusCode ?? 0, res.headers["cache-control"], Buffer.concat(parts))));
      res.on("error", (error) => settle(failed(error.message)));
    });
    const timer = setTimeout(() => req.destroy(new Error("timeout")), Math.max(1, timeoutMs));
    const settle = (answer: HookAnswer): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    req.on("error", (error: NodeJS.ErrnoException) => settle(failed(error.code ?? error.message)));
    req.end(body);
  });
}

function failed(error: string): HookAnswer {
  return { verdict: "failed", error, maxAgeSeconds: 0, body: {} };
}

/** What both sides have of their own folder of secrets. */
const otherSecret = "auth-webhook does not take hook-secret: the folder PARLEY_SECRETS has another one here than there";

/** `{"result": "ok" | "next" | {"error": …}}` with status 200; all else is no answer. "next" finds no other plugin here. */
export function readAnswer(status: number, cacheControl: string | undefined, bytes: Buffer): HookAnswer {
  if (status === 403) return failed(otherSecret);
  if (status !== 200) return failed(`status_${status}`);
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    return failed("malformed_answer");
  }
  if (!isRecord(body)) return failed("malformed_answer");
  const maxAgeSeconds = readMaxAge(cacheControl);
  const { result } = body;
  if (result === "ok") return { verdict: "ok", error: "", maxAgeSeconds, body };
  if (result === "next") return { verdict: "refused", error: "next", maxAgeSeconds, body };
  if (!isRecord(result) || !("error" in result)) return failed("malformed_answer");
  const error = typeof result.error === "string" ? result.error : "not_allowed";
  return { verdict: "refused", error, maxAgeSeconds, body };
}

function readMaxAge(cacheControl: string | undefined): number {
  const found = /(?:^|[\s,])max-age=(\d{1,9})(?=$|[\s,;])/i.exec(cacheControl ?? "");
  return found ? Number(found[1]) : 0;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
