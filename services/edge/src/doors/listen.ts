// The doors: MQTT over TCP and over WebSocket, both ending in a stream of bytes.
import { randomBytes } from "node:crypto";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { AppError } from "@parley/protocol";
import { clientAddress, type Networks, plainAddress } from "@parley/runtime";
import type { Peer } from "../connect/connect.ts";
import type { Device } from "../session/surroundings.ts";
import { destroyOnError } from "../streams.ts";
import type { Place, Places } from "./places.ts";
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
  trusted: Networks;
  places: Places;
  onDevice(device: Device): void;
}

/** `proxyHeaders`: trusted proxies begin with one. */
export type TcpOptions = DoorOptions & { proxyHeaders: boolean };

const paths = ["/", "/mqtt"];

export async function openTcp(options: TcpOptions): Promise<Door> {
  const { host, port, setting, trusted, places, proxyHeaders, onDevice } = options;
  const server = createServer({ noDelay: true }, (socket) => {
    const own = { address: plainAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    const isProxy = proxyHeaders && trusted.includes(own.address);
    const place = takePlace(places, socket, isProxy ? undefined : own.address);
    if (place === undefined) return;
    const letIn = (source: Source): void => {
      if (isProxy) place.belongTo(source.address);
      onDevice({ stream: socket, transport: "tcp", peer: peerOf(source), place });
    };
    destroyOnError(socket);
    // So that a socket that says nothing costs a place and no connection.
    if (isProxy) awaitProxyHeader(socket, ({ source = own }) => letIn(source));
    else socket.once("readable", () => letIn(own));
  });
  return listen(server, host, port, setting);
}

export async function openWebSocket(options: DoorOptions): Promise<Door> {
  const { host, port, setting, trusted, places, onDevice } = options;
  // Places end the silent ones.
  const http = createHttpServer({ headersTimeout: 0, requestTimeout: 0 }, (_, response) =>
    response.writeHead(426, { upgrade: "websocket" }).end(),
  );
  const placeOf = new WeakMap<Socket, Place>();
  http.on("connection", (socket) => {
    const isProxy = trusted.includes(socket.remoteAddress ?? "");
    const place = takePlace(places, socket, isProxy ? undefined : socket.remoteAddress);
    if (place !== undefined) placeOf.set(socket, place);
  });
  http.on("upgrade", (request, socket, head) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    const place = placeOf.get(request.socket);
    if (place === undefined || !paths.includes(path)) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    socket.on("error", () => socket.destroy());
    request.socket.setTimeout(0);
    request.socket.setNoDelay(true);
    const source = sourceOf(request, trusted);
    place.belongTo(source.address);
    const stream = acceptWebSocket(request, socket, head);
    if (stream !== undefined) onDevice({ stream, transport: "ws", peer: peerOf(source), place });
  });
  return listen(http, host, port, setting);
}

/** Until the socket is closed. Without a place it is closed at once. */
function takePlace(places: Places, socket: Socket, address: string | undefined): Place | undefined {
  const place = places.take(address, () => socket.destroy());
  if (place === undefined) socket.destroy();
  else socket.on("close", () => place.leave());
  return place;
}

/** Port 0: proxies tell the address alone. */
function sourceOf({ socket, headers }: IncomingMessage, trusted: Networks): Source {
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
