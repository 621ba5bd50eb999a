// MQTT over WebSocket: large packets are passed over as they come, pings are answered, and nothing waits in memory.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { eventually, startServers, type TestContext } from "@parley/testkit";
import { connectPacket, encode } from "./raw-client.ts";
import { cached, connectDevice, newClientId, ok, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** A frame masked with zeros, which leave it as it is. */
function frame(first: number, payload: Buffer, length = payload.length): Buffer {
  const header = Buffer.alloc(14);
  header[0] = first;
  header[1] = 0xff;
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

/** A client that says its frames byte by byte. What it hears of the server's begins behind the handshake. */
async function openRawWebSocket(t: TestContext, url: string, headers: string[] = []) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  t.after(() => socket.destroy());
  let heard = Buffer.alloc(0);
  let closed = false;
  socket.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  const asked = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", ...headers];
  socket.write(`GET /mqtt HTTP/1.1\r\nHost: x\r\n${asked.join("\r\n")}\r\n\r\n`);
  const end = await eventually(() => heard.indexOf("\r\n\r\n") + 1 || closed);
  const head = heard.toString("latin1", 0, Number(end) - 1);
  heard = heard.subarray(Number(end) + 3);
  return { socket, head, heard: () => heard, isClosed: () => closed };
}

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

for (const version of [4, 5] as const)
  test(`a publish far too large is refused and the same connection goes on, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    hooks.answer(() => cached(60, ok));
    const reader = await connectDevice(t, edge);
    await reader.subscribeAsync("ws", { qos: 1 });
    const device = await connectDevice(t, edge, { transport: "ws", protocolVersion: version });
    const nacks: { id: string; code: string }[] = [];
    device.on("message", (_, payload) => nacks.push(JSON.parse(String(payload))));
    const large = JSON.stringify({ id: "large", content: "x".repeat(5_000_000) });
    const refused = device.publishAsync("ws", large, { qos: 1 });
    if (version === 5) await assert.rejects(refused, { code: 0x97 });
    else await refused;
    await device.publishAsync("ws", "after", { qos: 1 });
    assert.ok(device.connected);
    await eventually(() => reader.received.length === 1 && nacks.length === 1);
    assert.deepEqual([nacks[0]?.id, nacks[0]?.code, reader.received[0]], ["large", "too_large", "after"]);
  });

test("the handshake is that of the standard, and what asks for none is refused", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  const { head } = await openRawWebSocket(t, edge.ws, [key, "Sec-WebSocket-Protocol: other, mqttv3.1, mqtt"]);
  assert.match(head, /^HTTP\/1\.1 101 /);
  assert.match(head, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
  assert.match(head, /Sec-WebSocket-Protocol: mqtt$/m);
  const wrong = await openRawWebSocket(t, edge.ws, []);
  assert.match(wrong.head, /^HTTP\/1\.1 400 /);
  await eventually(wrong.isClosed);
  assert.deepEqual(hooks.asked, []);
});

test("a ping is answered between packets, and a close by a close", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const client = await openRawWebSocket(t, edge.ws, [key]);
  const hello = encode(connectPacket(4, newClientId()), 4);
  const ping = frame(0x89, Buffer.from("are you there"));
  client.socket.write(Buffer.concat([frame(0x02, hello.subarray(0, 9)), ping, frame(0x80, hello.subarray(9))]));
  const pong = Buffer.from([0x8a, 13, ...Buffer.from("are you there")]);
  const connack = Buffer.from([0x82, 4, 0x20, 2, 0, 0]);
  await eventually(() => client.heard().includes(connack));
  assert.ok(client.heard().includes(pong));
  client.socket.write(frame(0x88, Buffer.from([3, 0xe8])));
  await eventually(client.isClosed);
  assert.deepEqual([...client.heard().subarray(-4)], [0x88, 2, 3, 0xe8]);
});

test("a frame that never ends takes no memory, before CONNECT and behind it", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const hello = encode(connectPacket(4, newClientId()), 4);
  const publish = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61]);
  const before = heldBytes();
  const late = await openRawWebSocket(t, edge.ws, [key]);
  late.socket.write(Buffer.concat([frame(0x82, hello), frame(0x82, publish, 2 ** 40)]));
  for (let megabytes = 0; megabytes < 50; megabytes++)
    await new Promise((resolve) => late.socket.write(Buffer.alloc(1024 * 1024), resolve));
  await eventually(() => heldBytes() - before < 8 * 1024 * 1024);
  assert.equal(late.isClosed(), false);
  const early = await openRawWebSocket(t, edge.ws, [key]);
  early.socket.write(frame(0x82, Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), 2 ** 40));
  await eventually(early.isClosed);
});
