import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { eventually, freePort } from "@parley/testkit";
import WebSocket, { WebSocketServer } from "ws";
import { startTestApi } from "./surroundings.ts";

// The other end of the pipe: a WebSocket server that gives back what it gets, unless it is told not to read.
const upstream = createServer();
const sockets = new WebSocketServer({ server: upstream, handleProtocols: () => "mqtt" });
sockets.on("connection", (socket, { url }) => {
  if (url?.includes("slow")) return socket.pause();
  socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
});
await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
after(() => {
  for (const socket of sockets.clients) socket.terminate();
  upstream.close();
});
const upstreamPort = (upstream.address() as AddressInfo).port;
const api = await startTestApi({ after }, { API_WS_UPSTREAM: `ws://127.0.0.1:${upstreamPort}/mqtt` });
const nobody = await startTestApi({ after }, { API_WS_UPSTREAM: `ws://127.0.0.1:${await freePort()}/mqtt` });

const address = (url: string, path: string) => `${url.replace("http", "ws")}${path}`;

test("a WebSocket on /mqtt reaches the upstream, bytes and subprotocol as they are, and ends with it", async () => {
  const socket = new WebSocket(address(api.url, "/mqtt"), "mqtt");
  await once(socket, "open");
  assert.equal(socket.protocol, "mqtt");
  const sent = Buffer.alloc(300_000, 7);
  socket.send(sent);
  const [message] = await once(socket, "message");
  assert.ok(sent.equals(message));
  for (const other of sockets.clients) other.terminate();
  await once(socket, "close");
});

test("an upstream that does not read slows its client down instead of filling our memory", async () => {
  const socket = new WebSocket(address(api.url, "/mqtt?slow"), "mqtt");
  await once(socket, "open");
  const chunk = Buffer.alloc(1024 * 1024);
  for (let n = 0; n < 64; n++) socket.send(chunk);
  const seen: number[] = [];
  await eventually(
    () => seen.push(socket.bufferedAmount) > 10 && seen.slice(-10).every((size) => size === seen.at(-1)),
  );
  assert.ok(socket.bufferedAmount > 32 * 1024 * 1024, `${socket.bufferedAmount} bytes still wait at the client`);
  socket.terminate();
  for (const other of sockets.clients) other.terminate();
});

test("other paths, and an upstream that is not there, are refused with an HTTP error", async () => {
  const refused = async (url: string) => {
    const socket = new WebSocket(url);
    const [, response] = await once(socket, "unexpected-response");
    let text = "";
    for await (const part of response) text += part;
    return [response.statusCode, JSON.parse(text).error.code];
  };
  assert.deepEqual(await refused(address(api.url, "/other")), [404, "not_found"]);
  assert.deepEqual(await refused(address(nobody.url, "/mqtt")), [502, "unavailable"]);
});
