// Health and metrics over HTTP: /health/live, /health/ready, /metrics on a port of the service's own.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

/** true, or the reason why this part is not ready. */
export type Check = () => true | string;

export interface Health {
  /** Adds a named part to `ready`; the same name replaces. */
  check(name: string, check: Check): void;
  /** The reasons of all that is not ready; empty means ready. */
  reasons(): Record<string, string>;
}

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

export function createHealth(): Health {
  const checks = new Map<string, Check>();
  return {
    check: (name, check) => void checks.set(name, check),
    reasons() {
      const results = [...checks].map(([name, check]) => [name, outcome(check)] as const);
      return Object.fromEntries(results.filter(([, result]) => result !== true)) as Record<string, string>;
    },
  };
}

const askEveryMs = 2000;
const soonestMs = 50;

/** Pause before something that all wait for is asked for again: a tenth of how long it was waited for, 50 ms to `mostMs`. */
export function pauseWhileWaiting(waitedMs: number, mostMs: number): number {
  return Math.min(mostMs, Math.max(soonestMs, waitedMs / 10));
}

/**
 * Asks again and again, two seconds after the last answer, and makes the answer a named part of `ready`: not ready while
 * `ask` rejects, with the error's message as the reason, and until it has resolved once. Until then it asks sooner.
 */
export function watchCheck(health: Health, name: string, ask: () => Promise<void>): { close(): void } {
  let state: true | string = "not asked yet";
  const startedAt = performance.now();
  let everyMs: number | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const turn = async () => {
    state = await ask().then(
      () => {
        everyMs = askEveryMs;
        return true as const;
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (!closed) timer = setTimeout(next, everyMs ?? pauseWhileWaiting(performance.now() - startedAt, askEveryMs));
  };
  const next = () => void turn();
  health.check(name, () => state);
  next();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Serves until close. Rejects with the system's error when the port cannot be had. */
export async function startHealthServer(options: {
  health: Health;
  metrics: Registry;
  host: string;
  port: number;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(request.url ?? "/", response, options).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

async function answer(
  url: string,
  response: ServerResponse,
  { health, metrics }: { health: Health; metrics: Registry },
) {
  const path = url.split("?", 1)[0];
  if (path === "/health/live") return sendJson(response, 200, { live: true });
  if (path === "/health/ready") {
    const reasons = health.reasons();
    const ready = Object.keys(reasons).length === 0;
    return sendJson(response, ready ? 200 : 503, ready ? { ready } : { ready, reasons });
  }
  if (path === "/metrics") {
    response.writeHead(200, { "content-type": metrics.contentType }).end(await metrics.metrics());
    return;
  }
  sendJson(response, 404, { error: { code: "not_found", message: "/health/live, /health/ready or /metrics" } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}

function outcome(check: Check): true | string {
  try {
    return check();
  } catch (error) {
    return `the check failed: ${String(error)}`;
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
