// MQTT over WebSocket on `/mqtt`: the upgrade and all that follows is passed on as bytes, with their back-pressure.
import type { IncomingMessage, Server } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Logger } from "@parley/runtime";

const connectTimeoutMs = 5_000;

export interface UpgradeParts {
  /** ws:// or wss://; undefined: there is none */
  upstream: string | undefined;
  /** the device's own, also behind a trusted proxy */
  addressOf(request: IncomingMessage): string;
  /** Takes an upgrade of another path; false: nobody does. */
  others(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  log: Logger;
}

/** Passes upgrades of `/mqtt` on to `upstream`; those that nobody takes are refused. */
export function passUpgrades(server: Server, { upstream, addressOf, others, log }: UpgradeParts): { close(): void } {
  const open = new Set<Duplex>();
  const target = upstream === undefined ? undefined : new URL(upstream);
  // Another Upgrade (h2c of `curl --http2`) is an offer that is not taken up: the request is answered as it is.
  const choosing = server as { shouldUpgradeCallback?: (request: IncomingMessage) => boolean };
  choosing.shouldUpgradeCallback = ({ headers }) => headers.upgrade?.toLowerCase() === "websocket";
  server.on("upgrade", (request, client, head) => {
    client.on("error", () => client.destroy());
    open.add(client);
    client.once("close", () => open.delete(client));
    const isMqtt = /^\/mqtt(\?|$)/.test(request.url ?? "");
    if (!isMqtt && others(request, client, head)) return;
    if (!target || !isMqtt) return refuse(client, "404 Not Found", "not_found", "WebSocket is served on /mqtt only");
    passOn({ request, address: addressOf(request), client: client as Socket, head, target, log });
  });
  return {
    close() {
      for (const client of open) client.destroy();
    },
  };
}

interface Upgrade {
  request: IncomingMessage;
  address: string;
  client: Socket;
  head: Buffer;
  target: URL;
  log: Logger;
}

function passOn({ request, address, client, head, target, log }: Upgrade): void {
  const secure = target.protocol === "wss:";
  const host = target.hostname.replace(/^\[|\]$/g, "");
  const port = Number(target.port || (secure ? 443 : 80));
  const upstream = secure ? connectTls({ host, port, servername: host }) : connect({ host, port });
  let passed = false;
  upstream.setTimeout(connectTimeoutMs, () => upstream.destroy(new Error("no answer in time")));
  upstream.once(secure ? "secureConnect" : "connect", () => {
    passed = true;
    upstream.setTimeout(0);
    client.setTimeout(0);
    for (const socket of [client, upstream]) socket.setNoDelay(true);
    upstream.write(requestHead(request, address, target));
    if (head.length > 0) upstream.write(head);
    join(client, upstream);
  });
  upstream.on("error", (error) => {
    if (passed) return;
    log.warn({ event: "ws_upstream_unreachable", reason: error.message });
    refuse(client, "502 Bad Gateway", "unavailable", "MQTT over WebSocket is not reachable");
  });
  client.once("close", () => upstream.destroy());
}

// Not by `pipeline`: it puts eight listeners of one event on a socket, and Node warns of a leak. The client's own close
// has ended the upstream from the beginning.
function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream).pipe(client);
  // An end arrives behind all that came before it, a cut at once.
  upstream.once("close", () => (upstream.readableEnded ? client.destroySoon() : client.destroy()));
}

function requestHead(request: IncomingMessage, address: string, target: URL): string {
  const query = request.url?.slice("/mqtt".length) ?? "";
  const lines = [`GET ${target.pathname}${target.search || query} HTTP/1.1`, `Host: ${target.host}`];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? "";
    if (!/^(host|x-forwarded-for|authorization|cookie)$/i.test(name))
      lines.push(`${name}: ${request.rawHeaders[at + 1]}`);
  }
  lines.push(`X-Forwarded-For: ${address}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function refuse(client: Duplex, status: string, code: string, message: string): void {
  const body = JSON.stringify({ error: { code, message } });
  const head = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
  client.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}`);
}
