// Whose connection it is, as hooks are told: the device's own address, also behind proxies that are trusted.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { connectPacket, encode, openRaw } from "./raw-client.ts";
import { connectDevice, type HookServer, newClientId, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
function proxyHeader(command: number, family: number, hex: string): Buffer {
  const body = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return Buffer.concat([signature, Buffer.from([command, family, body.length >> 8, body.length & 0xff]), body]);
}
const ofIpv4 = proxyHeader(0x21, 0x11, "cb007109 0a000001 1267 075b");
const ofIpv6 = proxyHeader(
  0x21,
  0x21,
  "20010db8000100020000000000000a0b 20010db8000000000000000000000001 1267 075b 020003612e62",
);
const ofProxy = proxyHeader(0x20, 0x00, "");

function seen(hooks: HookServer) {
  const { peer_addr: address, peer_port: port } = hooks.of("auth_on_register").at(-1)!;
  return { address, port };
}

const proxied = { TRUSTED_PROXIES: "127.0.0.1", EDGE_PROXY_PROTOCOL: "true" };

test("over TCP a trusted proxy's header says whose connection it is, however it comes in pieces", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, proxied);
  const cases = [
    { header: ofIpv4, expected: { address: "203.0.113.9", port: 4711 } },
    { header: ofIpv6, expected: { address: "2001:db8:1:2:0:0:0:a0b", port: 4711 } },
  ];
  for (const { header, expected } of cases) {
    const all = Buffer.concat([header, encode(connectPacket(4, newClientId()), 4)]);
    for (const pieceBytes of [1, 7, header.length, all.length]) {
      const client = await openRaw(t, edge.tcp, 4);
      for (let at = 0; at < all.length; at += pieceBytes) {
        client.send(all.subarray(at, at + pieceBytes));
        await new Promise(setImmediate);
      }
      assert.equal((await client.next()).returnCode, 0);
      assert.deepEqual(seen(hooks), expected, `in pieces of ${pieceBytes}`);
      client.send({ cmd: "pingreq" });
      assert.equal((await client.next()).cmd, "pingresp");
    }
  }
});

test("a connection of the proxy's own keeps the proxy's address", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, proxied);
  const client = await openRaw(t, edge.tcp, 4);
  client.send(Buffer.concat([ofProxy, encode(connectPacket(4, newClientId()), 4)]));
  assert.equal((await client.next()).returnCode, 0);
  assert.deepEqual(seen(hooks), { address: "127.0.0.1", port: client.socket.localPort });
});

test("from a trusted proxy nothing is taken without its header: what is malformed, missing or late is closed", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, { ...proxied, EDGE_CONNECT_TIMEOUT_MS: "200" });
  const hello = encode(connectPacket(4, newClientId()), 4);
  const tooLong = Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff]), Buffer.alloc(520)]);
  const unknownCommand = proxyHeader(0x2f, 0x11, "cb007109 0a000001 1267 075b");
  const sent = [hello, tooLong, Buffer.concat([unknownCommand, hello]), ofIpv4.subarray(0, 20), Buffer.alloc(0)];
  for (const bytes of sent) {
    const client = await openRaw(t, edge.tcp, 4);
    client.send(bytes);
    assert.deepEqual(await client.closed(), []);
  }
  assert.deepEqual(hooks.asked, []);
});

for (const env of [
  { TRUSTED_PROXIES: "192.0.2.1", EDGE_PROXY_PROTOCOL: "true" },
  { TRUSTED_PROXIES: "127.0.0.1", EDGE_PROXY_PROTOCOL: "false" },
])
  test(`a header is not believed, with ${JSON.stringify(env)}; without one a device is let in by its own address`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, env);
    const liar = await openRaw(t, edge.tcp, 4);
    liar.send(Buffer.concat([ofIpv4, encode(connectPacket(4, newClientId()), 4)]));
    assert.deepEqual(await liar.closed(), []);
    assert.deepEqual(hooks.asked, []);
    const client = await openRaw(t, edge.tcp, 4);
    client.send(connectPacket(4, newClientId()));
    assert.equal((await client.next()).returnCode, 0);
    assert.equal(seen(hooks).address, "127.0.0.1");
  });

test("over WebSocket X-Forwarded-For is believed from trusted proxies, from others it is not", async (t) => {
  const headers = { "x-forwarded-for": "198.51.100.1, 203.0.113.9" };
  const options = { transport: "ws", protocolVersion: 4, wsOptions: { headers } } as const;
  for (const [trusted, expected] of [
    ["127.0.0.1", "203.0.113.9"],
    ["192.0.2.1", "127.0.0.1"],
    ["127.0.0.1,203.0.113.0/24", "198.51.100.1"],
    ["", "127.0.0.1"],
  ] as const) {
    const { hooks, edge } = await startBoth(t, mosquitto, { TRUSTED_PROXIES: trusted });
    await connectDevice(t, edge, options);
    await eventually(() => hooks.of("auth_on_register").length === 1);
    assert.equal(seen(hooks).address, expected, `trusted: ${trusted}`);
  }
});
