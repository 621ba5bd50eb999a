// The doors: MQTT over TCP and over WebSocket, both ending in a stream of bytes.
import { randomBytes } from "node:crypto";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { AppError } from "@parley/protocol";
import { clientAddress, plainAddress, type TrustedProxies } from "@parley/runtime";
import type { Peer } from "../connect/connect.ts";
import type { Device } from "../session/connection.ts";
import { awaitProxyHeader, type Source } from "./proxy-header.ts";
import { acceptWebSocket } from "./web-socket.ts";

export interface Door {
  port: number;
  close(): Promise<void>;
}

export interface DoorOptions {
  host: string;
  port: number;
  /** the setting to name when the port cannot be had */
  setting: string;
  /** whose word is taken for whom they pass on */
  trusted: TrustedProxies;
  onDevice(device: Device): void;
}

/** `proxyHeaderMs`: how long a trusted proxy's header may take; undefined: there are no such headers. */
export type TcpOptions = DoorOptions & { proxyHeaderMs: number | undefined };

const paths = ["/", "/mqtt"];

export async function openTcp({ host, port, setting, trusted, proxyHeaderMs, onDevice }: TcpOptions): Promise<Door> {
  const server = createServer({ noDelay: true }, (socket) => {
    const own = { address: plainAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    const letIn = (source: Source) => onDevice({ stream: socket, transport: "tcp", peer: peerOf(source) });
    if (proxyHeaderMs === undefined || !trusted.includes(own.address)) letIn(own);
    else awaitProxyHeader(socket, proxyHeaderMs, ({ source = own }) => letIn(source));
  });
  return listen(server, host, port, setting);
}

export async function openWebSocket({ host, port, setting, trusted, onDevice }: DoorOptions): Promise<Door> {
  const http = createHttpServer((_, response) => response.writeHead(426, { upgrade: "websocket" }).end());
  http.headersTimeout = http.requestTimeout = 10_000;
  http.on("upgrade", (request, socket, head) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    if (!paths.includes(path)) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    socket.on("error", () => socket.destroy());
    request.socket.setTimeout(0);
    request.socket.setNoDelay(true);
    const source = sourceOf(request, trusted);
    const stream = acceptWebSocket(request, socket, head);
    if (stream !== undefined) onDevice({ stream, transport: "ws", peer: peerOf(source) });
  });
  return listen(http, host, port, setting);
}

/** Port 0: proxies tell the address alone. */
function sourceOf({ socket, headers }: IncomingMessage, trusted: TrustedProxies): Source {
  const address = clientAddress(socket.remoteAddress, headers["x-forwarded-for"], trusted);
  const isOwn = address === plainAddress(socket.remoteAddress ?? "");
  return { address, port: isOwn ? (socket.remotePort ?? 0) : 0 };
}

function peerOf(source: Source): Peer {
  return { ...source, connectionId: randomBytes(12).toString("base64url") };
}

/** Rejects with one clear line when the port cannot be had. */
export async function listen(server: Server, host: string, port: number, setting: string): Promise<Door> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? "the port is taken" : (cause.code ?? cause.message);
      reject(new AppError("unavailable", `${setting} ${host}:${port}: ${reason}`, { cause }));
    });
    server.listen({ host, port, backlog: 4096 }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
