// The doors: MQTT over TCP and over WebSocket, both ending in a stream of bytes.
import { randomBytes } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { AppError } from "@parley/protocol";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import type { Device } from "../session/connection.ts";

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

const subprotocols = ["mqtt", "mqttv3.1"];
const paths = ["/", "/mqtt"];
const closeUnsupportedData = 1003;

export async function openTcp({ host, port, setting, onDevice }: DoorOptions): Promise<Door> {
  const server = createServer({ noDelay: true }, (socket) => {
    onDevice({ stream: socket, transport: "tcp", peer: peerOf(socket) });
  });
  return listen(server, host, port, setting);
}

export async function openWebSocket({
  host,
  port,
  setting,
  maxPacketBytes,
  onDevice,
}: DoorOptions & { maxPacketBytes: number }): Promise<Door> {
  const http = createHttpServer((_, response) => response.writeHead(426, { upgrade: "websocket" }).end());
  http.headersTimeout = http.requestTimeout = 10_000;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    // One frame may hold many packets; how large each may be is counted later.
    maxPayload: Math.max(1024 * 1024, 2 * maxPacketBytes),
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  http.on("upgrade", (request, socket, head) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    if (!paths.includes(path)) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    socket.on("error", () => socket.destroy());
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      onDevice({ stream: streamOf(webSocket), transport: "ws", peer: peerOf(request.socket) });
    });
  });
  return listen(http, host, port, setting);
}

/** Packets may begin and end anywhere in binary frames; a text frame ends the connection [MQTT-6.0.0-1]. */
function streamOf(webSocket: WebSocket) {
  webSocket.on("message", (_, isBinary) => {
    if (!isBinary) webSocket.close(closeUnsupportedData, "binary frames only");
  });
  const stream = createWebSocketStream(webSocket);
  return stream;
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
