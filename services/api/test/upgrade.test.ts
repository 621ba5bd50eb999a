import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
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

test("an upgrade that follows requests on its connection has no more listeners than one socket may have", async (t) => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on("warning", hear);
  t.after(() => process.off("warning", hear));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  for (let n = 0; n < 20; n += 1) {
    const [response] = await once(get(`${api.url}/no-such-path`, { agent }), "response");
    response.resume();
    await once(response, "end");
  }
  const socket = new WebSocket(address(api.url, "/mqtt"), "mqtt", { agent });
  await once(socket, "open");
  socket.send("here");
  await once(socket, "message");
  socket.close();
  await once(socket, "close");
  assert.deepEqual(warnings, []);
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

test("a slow client gets all that the upstream sent before it ended, and a cut upstream cuts its client", async (t) => {
  const all = 16 * 1024 * 1024;
  for (const end of ["end", "resetAndDestroy"] as const) {
    const raw = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => (end === "end" ? socket.end(Buffer.alloc(all)) : socket.resetAndDestroy()));
    });
    raw.listen(0, "127.0.0.1");
    await once(raw, "listening");
    t.after(() => raw.close());
    const { port } = raw.address() as AddressInfo;
    const passing = await startTestApi(t, { API_WS_UPSTREAM: `ws://127.0.0.1:${port}/mqtt` });
    const client = connect(Number(new URL(passing.url).port), "127.0.0.1");
    client.on("error", () => {});
    client.write("GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let bytes = 0;
    for await (const chunk of client) {
      bytes += chunk.length;
      for (let turns = 0; turns < 5; turns += 1) await setImmediate();
    }
    assert.equal(bytes, end === "end" ? all : 0);
  }
});
