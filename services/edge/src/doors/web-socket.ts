// MQTT over WebSocket: the handshake, and a stream of the bytes in binary frames.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { destroyOnError } from "../streams.ts";
import { closeCodes, frameHeader, openFrames } from "./web-socket-frames.ts";

const subprotocols = ["mqtt", "mqttv3.1"];
/** [RFC 6455 1.3] */
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const bufferedBytes = 64 * 1024;
/** Pongs wait for nobody who does not read them. */
const unreadPongBytes = 64 * 1024;

/** The stream behind an upgrade; undefined when it was none, which its client is told. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Duplex | undefined {
  const { upgrade = "", "sec-websocket-key": key = "", "sec-websocket-version": version } = request.headers;
  const isAsked = request.method === "GET" && upgrade.toLowerCase() === "websocket";
  if (!isAsked || version !== "13" || !/^[+/0-9A-Za-z]{22}==$/.test(key)) {
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nSec-WebSocket-Version: 13\r\n\r\n");
    return undefined;
  }
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const protocol = subprotocols.find((name) => offered.includes(name));
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${createHash("sha1").update(`${key}${guid}`).digest("base64")}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return openStream(socket, head);
}

/** Packets may begin and end anywhere in binary frames; a text frame ends the connection [MQTT-6.0.0-1]. */
function openStream(socket: Duplex, head: Buffer): Duplex {
  let saidClose = false;
  const say = (opcode: "close" | "pong", payload: Buffer): void => {
    if (socket.writable) socket.write(Buffer.concat([frameHeader(opcode, payload.length), payload]));
  };
  const sayClose = (code: number): void => {
    if (!saidClose) say("close", Buffer.from([code >> 8, code & 0xff]));
    saidClose = true;
  };
  const send = (chunks: Buffer[], callback: (error?: Error | null) => void): void => {
    socket.cork();
    socket.write(
      frameHeader(
        "binary",
        chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      ),
    );
    chunks.forEach((chunk, index) => {
      socket.write(chunk, index === chunks.length - 1 ? callback : undefined);
    });
    socket.uncork();
  };
  const stream = new Duplex({
    highWaterMark: bufferedBytes,
    read: () => void socket.resume(),
    write: (chunk: Buffer, _, callback) => send([chunk], callback),
    writev: (parts, callback) =>
      send(
        parts.map(({ chunk }) => chunk as Buffer),
        callback,
      ),
    final(callback) {
      sayClose(closeCodes.normal);
      socket.end(() => callback());
    },
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    },
  });
  const take = openFrames({
    onData: (piece) => void (stream.push(piece) || socket.pause()),
    onPing: (payload) => void (socket.writableLength < unreadPongBytes && say("pong", payload)),
    onClose: () => stream.push(null),
    onFault(code) {
      sayClose(code);
      stream.push(null);
    },
  });
  socket.on("data", take);
  socket.on("end", () => stream.readable && stream.push(null));
  socket.on("close", () => stream.destroy());
  socket.on("error", () => stream.destroy());
  destroyOnError(stream);
  if (head.length > 0) take(Buffer.from(head));
  return stream;
}
