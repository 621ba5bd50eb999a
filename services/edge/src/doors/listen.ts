// The doors: MQTT over TCP and over WebSocket, both ending in a stream of bytes.
import { randomBytes } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { AppError } from "@parley/protocol";
import type { Device } from "../session/connection.ts";
import { acceptWebSocket } from "./web-socket.ts";

export interface Door {
  port: number;
  close(): Promise<void>;
}

interface DoorOptions {
  host: string;
  port: number;
  /** the setting to name when the port cannot be had */
  setting: string;
  onDevice(device: Device): void;
}

const paths = ["/", "/mqtt"];

export async function openTcp({ host, port, setting, onDevice }: DoorOptions): Promise<Door> {
  const server = createServer({ noDelay: true }, (socket) => {
    onDevice({ stream: socket, transport: "tcp", peer: peerOf(socket) });
  });
  return listen(server, host, port, setting);
}

export async function openWebSocket({ host, port, setting, onDevice }: DoorOptions): Promise<Door> {
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
    const stream = acceptWebSocket(request, socket, head);
    if (stream !== undefined) onDevice({ stream, transport: "ws", peer: peerOf(request.socket) });
  });
  return listen(http, host, port, setting);
}

function peerOf(socket: Socket) {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return { address, port: socket.remotePort ?? 0, connectionId: randomBytes(12).toString("base64url") };
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
