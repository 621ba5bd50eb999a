// The connection to NATS: waited for at the start, for ever reconnecting, and known to be up or not.
import { connect, type NatsConnection, PermissionViolationError } from "nats";
import type { Health } from "../process/health.ts";
import type { Logger } from "../process/log.ts";
import { openReconnectDelay } from "./reconnect-delay.ts";
import { sayWaiting, withoutCredentials } from "./waiting.ts";

export type { Msg, NatsConnection } from "nats";

interface LinkState {
  connected: boolean;
  inboxPrefix?: string;
  /** What to call when the connection is lost. */
  onLost: Set<() => void>;
  /** What to call each time it is back. */
  onBack: Set<() => void>;
  /** What to call when the server refuses what is published on a subject. */
  onRefused: Map<string, Set<() => void>>;
}

const links = new WeakMap<NatsConnection, LinkState>();

/**
 * Connects, waiting (and saying so) until NATS is there. Later it reconnects by itself, for ever; subscriptions stay.
 * `url` may name several servers, separated by commas, and carry `user:password@` or `token@`; `tls://` insists on TLS.
 */
export async function connectNats(options: {
  url: string;
  name: string;
  log: Logger;
  health?: Health;
}): Promise<NatsConnection> {
  const { url, name, log, health } = options;
  const waiting = sayWaiting(log, "nats", url, () => undefined);
  const address = natsAddress(url);
  const nats = await connect({
    ...address,
    name,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    reconnectDelayHandler: openReconnectDelay(),
    ignoreClusterUpdates: true,
    ignoreAuthErrorAbort: true,
    // The stack of every request costs more than the request.
    noAsyncTraces: true,
    // A server that hangs is found out in 6 to 9 s.
    pingInterval: 3000,
    maxPingOut: 2,
    timeout: 5000,
  });
  waiting.done();
  const link: LinkState = { connected: true, onLost: new Set(), onBack: new Set(), onRefused: new Map() };
  if (address.inboxPrefix !== undefined) link.inboxPrefix = address.inboxPrefix;
  links.set(nats, link);
  watch(nats, link, log, withoutCredentials(url)).catch((err) => log.error({ event: "nats_status_failed", err }));
  health?.check("nats", () => link.connected || "not connected");
  return nats;
}

/** What the subjects begin with that this connection has answers on. */
export function inboxPrefixOf(nats: NatsConnection): string | undefined {
  return links.get(nats)?.inboxPrefix;
}

/** Is the connection up at this moment? */
export function natsConnected(nats: NatsConnection): boolean {
  return links.get(nats)?.connected ?? !nats.isClosed();
}

/** Calls `refused` when the server says that this connection may publish nothing on the subject; answers what takes that back. */
export function onNatsRefused(nats: NatsConnection, subject: string, refused: () => void): () => void {
  const onRefused = links.get(nats)?.onRefused;
  const waiting = onRefused?.get(subject) ?? new Set();
  onRefused?.set(subject, waiting.add(refused));
  return () => {
    if (waiting.delete(refused) && waiting.size === 0) onRefused?.delete(subject);
  };
}

/** Calls `lost` once if the connection is lost or closed; answers what takes that back. */
export function onNatsLost(nats: NatsConnection, lost: () => void): () => void {
  const onLost = links.get(nats)?.onLost;
  onLost?.add(lost);
  return () => onLost?.delete(lost);
}

/**
 * Calls `back` each time the connection is there again: events told meanwhile were missed. Answers what takes that back.
 */
export function onNatsBack(nats: NatsConnection, back: () => void): () => void {
  const onBack = links.get(nats)?.onBack;
  onBack?.add(back);
  return () => onBack?.delete(back);
}

async function watch(nats: NatsConnection, link: LinkState, log: Logger, address: string): Promise<void> {
  for await (const status of nats.status()) {
    if (status.type === "error") {
      log.warn({ event: "nats_error", reason: status.error.message });
      tellRefused(link, status.error);
    }
    if (status.type === "reconnect") {
      link.connected = true;
      log.info({ event: "nats_reconnected", address });
      for (const tell of link.onBack) tell();
    }
    if ((status.type === "disconnect" || status.type === "close") && link.connected) {
      link.connected = false;
      if (status.type === "disconnect") log.warn({ event: "nats_lost", address });
      const lost = [...link.onLost];
      link.onLost.clear();
      for (const tell of lost) tell();
    }
  }
}

function tellRefused({ onRefused }: LinkState, error: Error): void {
  if (!(error instanceof PermissionViolationError) || error.operation !== "publish") return;
  for (const tell of [...(onRefused.get(error.subject) ?? [])]) tell();
}

/** What the client of NATS is told, of one URL or several with commas. */
export function natsAddress(urls: string) {
  const parsed = urls.split(",").map((one) => new URL(one.trim()));
  const { username, password } = parsed[0]!;
  const user = decodeURIComponent(username);
  const login = password ? { user, pass: decodeURIComponent(password) } : user ? { token: user } : {};
  const tls = parsed.some(({ protocol }) => protocol === "tls:") ? { tls: {} } : {};
  // Whoever has a user of its own has inboxes of its own too: the server can let nobody else read the answers.
  const inbox = password && /^[\w-]+$/.test(user) ? { inboxPrefix: `_INBOX.${user}` } : {};
  return { servers: parsed.map(({ host }) => host), ...login, ...tls, ...inbox };
}
