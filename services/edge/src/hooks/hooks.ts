// Asks VerneMQ's hooks of auth-webhook: over links, round-robin with failover, and no answer means no.
import { type Logger, openReminders, openTurns } from "@parley/runtime";
import { Link, type LinkAnswer } from "./link.ts";

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
  /** 0 when the answer may not be kept */
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
  links: readonly Link[];
  /** its last question failed */
  failing: boolean;
  restsUntil: number;
  /** one question finds out whether it is back; the others go elsewhere */
  tried: boolean;
}

const restMs = 1000;
/** Behind one address there may be several replicas: a balancer gives each link one of them. */
const linksEach = 4;
/** Questions in hand at each address; the next wait. */
const questionsEach = 256;

/** How many sockets there are at most, but for moments in which replicas end. */
export function hookSockets(urls: readonly string[]): number {
  return urls.length * linksEach;
}

/** Whoever waits to get in comes first: its time runs out soonest. What is told of sessions can wait. */
function rankOf(hook: HookName): 0 | 1 | 2 {
  if (hook === "auth_on_register" || hook === "auth_on_register_m5") return 0;
  return hook.startsWith("auth_") ? 1 : 2;
}

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
  const endpoints: Endpoint[] = urls.map((url) => {
    const links = Array.from({ length: linksEach }, () => new Link(url, secret));
    return { links, failing: false, restsUntil: 0, tried: false };
  });
  // What waits here has not begun: its time does not run.
  const turns = openTurns({ atOnce: urls.length * questionsEach });
  const reminders = openReminders();
  let turn = 0;
  let sameTurn: Endpoint | undefined;

  /** Of one turn of the event loop all questions go the same way, in one write. */
  function choose(): Endpoint {
    if (sameTurn !== undefined && !sameTurn.failing) return sameTurn;
    if (sameTurn === undefined)
      setImmediate(() => {
        sameTurn = undefined;
      });
    sameTurn = chooseNext();
    return sameTurn;
  }

  /** The next replica; one that failed gets one question a second until it answers, unless all did. */
  function chooseNext(): Endpoint {
    turn += 1;
    const now = performance.now();
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[(turn + step) % endpoints.length]!;
      if (!endpoint.failing) return endpoint;
      if (endpoint.tried || endpoint.restsUntil > now) continue;
      endpoint.tried = true;
      return endpoint;
    }
    return endpoints[turn % endpoints.length]!;
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
    const attempts = Math.max(2, endpoints.length);
    const deadline = performance.now() + timeoutMs;
    let answer = failed("no_attempt");
    for (let attempt = 0; attempt < attempts && performance.now() < deadline; attempt++) {
      const endpoint = choose();
      const link = endpoint.links[Math.floor(turn / endpoints.length) % linksEach]!;
      // A replica that hangs may not use up the time of the others.
      const share = endpoints.length > 1 && attempt < endpoints.length - 1 ? endpoints.length : 1;
      answer = readAnswer(await link.ask(hook, body, (deadline - performance.now()) / share));
      judge(endpoint, answer.verdict === "failed");
      if (answer.verdict !== "failed") break;
    }
    if (answer.verdict === "failed") sayFailed(hook, answer.error);
    onAnswer(hook, answer);
    return answer;
  }

  return {
    ask,
    close() {
      for (const { links } of endpoints) for (const link of links) link.close();
    },
  };
}

function failed(error: string): HookAnswer {
  return { verdict: "failed", error, maxAgeSeconds: 0, body: {} };
}

/** `{"result": "ok" | "next" | {"error": …}}`; all else is no answer. "next" finds no other plugin here. */
export function readAnswer(answer: LinkAnswer): HookAnswer {
  if ("failed" in answer) return failed(answer.failed);
  const { body, maxAgeSeconds } = answer;
  if (!isRecord(body)) return failed("malformed_answer");
  const { result } = body;
  if (result === "ok") return { verdict: "ok", error: "", maxAgeSeconds, body };
  if (result === "next") return { verdict: "refused", error: "next", maxAgeSeconds, body };
  if (!isRecord(result) || !("error" in result)) return failed("malformed_answer");
  const error = typeof result.error === "string" ? result.error : "not_allowed";
  return { verdict: "refused", error, maxAgeSeconds, body };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
