// The HTTP server of the hooks, on node:http itself: whatever comes in is answered in the words of the broker that asks.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError } from "@parley/protocol";
import { type Logger, secretCheck } from "@parley/runtime";
import { answerHook, malformed, own } from "./answer.ts";
import type { Decisions } from "./decisions.ts";
import { emqxDeny, emqxHooks } from "./emqx.ts";
import { openLinks } from "./link.ts";
import { type HookBody, type HookReply, isRecord } from "./reply.ts";
import { type Asker, vernemqDeny, vernemqHooks } from "./vernemq.ts";

export interface HookServer {
  port: number;
  /** Answers what has been asked, then closes. */
  close(): Promise<void>;
}

interface Options {
  host: string;
  port: number;
  hookSecret: string;
  decisions: Decisions;
  log: Logger;
}

/** A broker's request: which hook, whether it may ask, and how that broker hears no. */
interface Route {
  hook: string;
  authentic: boolean;
  answer: ((body: HookBody, decisions: Decisions) => HookReply | Promise<HookReply>) | undefined;
  deny: HookReply;
  /** to whoever does not show the secret */
  stranger: HookReply;
}

/** Says that an edge asks, of a version that had no link. */
const askerHeader = "parley-asker";
// Nothing is kept of a body whose sender shows no secret.
const bodyBytes = 1024 * 1024;
const connectionsMax = 10_000;

/** Rejects with one clear sentence when the port cannot be had. */
export async function startHookServer(options: Options): Promise<HookServer> {
  const { host, port, hookSecret, decisions, log } = options;
  const findRoute = routes(hookSecret);
  let closing = false;
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 10_000 }, (request, response) => {
    // Whoever asks next asks another replica.
    response.shouldKeepAlive &&= !closing;
    const route = findRoute(request);
    if (!route) return send(response, 404, '{"error":{"code":"not_found","message":"no such hook"}}', 0);
    readBody(request, route.authentic ? bodyBytes : 0, (bytes) => {
      answerRequest(route, bytes, decisions).then(
        ({ body, maxAge, status = 200 }) => {
          response.shouldKeepAlive &&= !closing;
          send(response, status, body, maxAge);
        },
        (err: unknown) => {
          log.error({ event: "hook_failed", hook: route.hook, err });
          send(response, 200, route.deny.body, 0);
        },
      );
    });
  });
  server.maxConnections = connectionsMax;
  const links = openLinks({ hookSecret, decisions, log });
  server.on("upgrade", links.take);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? "the port is taken" : (cause.code ?? cause.message);
      reject(new AppError("unavailable", `AUTH_WEBHOOK_PORT ${host}:${port}: ${reason}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      links.end();
      const late = setTimeout(() => {
        server.closeAllConnections();
        links.close();
      }, 5000);
      await closed;
      clearTimeout(late);
    },
  };
}

function routes(hookSecret: string): (request: IncomingMessage) => Route | undefined {
  const isSecret = secretCheck(hookSecret);
  return ({ method, url = "", headers }) => {
    if (method !== "POST") return undefined;
    const [, broker, rest = "", ...more] = url.split("/");
    if (broker === "vernemq" && more.length <= 1) {
      // VerneMQ keeps a pool of connections for each URL: with /vernemq/SECRET/register logins delay no publish.
      const hook = String(headers["vernemq-hook"]);
      const handler = own(vernemqHooks, hook);
      const asker: Asker = headers[askerHeader] === "edge" ? "early edge" : "vernemq";
      const answer = handler && ((body: HookBody, decisions: Decisions) => handler(body, decisions, asker));
      const stranger = asker === "early edge" ? { ...vernemqDeny, status: 403 } : vernemqDeny;
      return { hook, authentic: isSecret(rest), answer, deny: vernemqDeny, stranger };
    }
    if (broker !== "emqx" || more.length > 0) return undefined;
    const authentic = isSecret(/^Bearer (.*)$/i.exec(headers.authorization ?? "")?.[1] ?? "");
    return { hook: rest, authentic, answer: own(emqxHooks, rest), deny: emqxDeny, stranger: emqxDeny };
  };
}

/** Whatever goes wrong here is a no in the broker's own words. */
async function answerRequest(route: Route, bytes: Buffer | undefined, decisions: Decisions): Promise<HookReply> {
  const { hook, authentic, answer, deny } = route;
  const refuse = (reason: string, as = deny) => malformed(hook, reason, decisions, as);
  if (!authentic) return refuse("wrong or missing secret", route.stranger);
  if (!bytes) return refuse(`body over ${bodyBytes} bytes`);
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    return refuse("the body is not JSON");
  }
  if (!isRecord(body)) return refuse("the body is not an object");
  return answerHook({ hook, body, answer, deny }, decisions);
}

/** Hands on the whole body, or undefined when it has over `most` bytes. A request that breaks off is dropped. */
function readBody(request: IncomingMessage, most: number, done: (body: Buffer | undefined) => void): void {
  const parts: Buffer[] = [];
  let size = 0;
  request.on("data", (part: Buffer) => {
    size += part.length;
    if (size <= most) parts.push(part);
    else parts.length = 0;
  });
  request.on("end", () => {
    if (size > most) done(undefined);
    else done(parts.length === 1 ? parts[0] : Buffer.concat(parts));
  });
}

function send(response: ServerResponse, status: number, body: string, maxAge: number): void {
  const headers = ["content-type", "application/json", "content-length", String(Buffer.byteLength(body))];
  if (maxAge > 0) headers.push("cache-control", `max-age=${maxAge}`);
  response.writeHead(status, headers).end(body);
}
