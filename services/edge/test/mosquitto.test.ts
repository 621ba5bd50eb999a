// Protocol faults: the same bytes to the edge and to a Mosquitto by itself, which is what client authors know.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { eventually, startServers, type TestContext } from "@parley/testkit";
import mqttPacket, { type IConnectPacket, type Packet } from "mqtt-packet";
import { connectPacket, encode, type Version } from "./raw-client.ts";
import { newClientId, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });

/** What is wrong, the packet, and the last thing that the edge says of it to MQTT 5. */
type Fault = [what: string, bytes: Buffer, reason: string];
type Text = string | number[];

const malformed = "disconnect 81";
const protocolError = "disconnect 82";
const surrogate = [0xed, 0xa0, 0x80];
const cut = [0xc3];

function text(value: Text): number[] {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

function packet(first: number, ...body: (number | number[])[]): Buffer {
  const bytes = body.flat();
  assert.ok(bytes.length < 128);
  return Buffer.from([first, bytes.length, ...bytes]);
}

interface ConnectParts {
  name?: string;
  level?: number;
  flags?: number;
  properties?: number[];
  clientId?: Text;
  will?: number[];
  username?: Text;
  more?: number[];
}

/** A CONNECT of the services', Mosquitto's one login, byte by byte. */
function connectWith(version: Version, parts: ConnectParts): Buffer {
  const { name = "MQTT", level = version, flags = 0xc2, properties = [], clientId = "alice:fault" } = parts;
  const { will = [], username = "parley", more = [] } = parts;
  const props = version === 5 ? [properties.length, ...properties] : [];
  const login = [...(flags & 0x80 ? text(username) : []), ...(flags & 0x40 ? text(mosquitto.password) : [])];
  return packet(0x10, text(name), level, flags, 0, 0, props, text(clientId), will, login, more);
}

function connectFaults(version: Version): Fault[] {
  const will = (topic: string) => [...(version === 5 ? [0] : []), ...text(topic), ...text("x")];
  const flagged = Buffer.concat([Buffer.from([0x11]), connectWith(version, {}).subarray(1)]);
  const parts: [string, ConnectParts, string][] = [
    ["trailing bytes", { more: [0, 1, 0x61] }, "connack 81"],
    ["the reserved flag", { flags: 0xc3 }, "connack 81"],
    ["a Will of QoS 3", { flags: 0xde, will: will("w") }, "connack 81"],
    ["a Will's QoS without a Will", { flags: 0xca }, "connack 81"],
    ["a Will's retain without a Will", { flags: 0xe2 }, "connack 81"],
    ["a Will to a wildcard", { flags: 0xc6, will: will("#") }, "connack 90"],
    ["NUL in the client id", { clientId: [0x61, 0] }, "connack 81"],
    ["a surrogate in the client id", { clientId: surrogate }, "connack 81"],
    ["a cut character in the client id", { clientId: cut }, "connack 81"],
    ["NUL in the user name", { username: [0x61, 0] }, "connack 81"],
    ["a user name that is no UTF-8", { username: cut }, "connack 81"],
    ["another protocol's name", { name: "MQTX" }, "connack 84"],
    ["a level nobody knows", { level: 9 }, "connack 84"],
  ];
  const faults = parts.map(([what, some, reason]): Fault => [what, connectWith(version, some), reason]);
  faults.push(["cut off", packet(0x10, text("MQTT"), version, 0xc2, 0, 0), "connack 81"]);
  faults.push(["flags in the first byte", flagged, ""]);
  if (version === 4) return [...faults, ["a password without a user name", connectWith(4, { flags: 0x42 }), ""]];
  const properties: [string, number[], string][] = [
    ["Receive Maximum 0", [0x21, 0, 0], "connack 82"],
    ["Maximum Packet Size 0", [0x27, 0, 0, 0, 0], "connack 82"],
    ["Receive Maximum twice", [0x21, 0, 5, 0x21, 0, 5], "connack 82"],
    ["Session Expiry twice", [0x11, 0, 0, 0, 0, 0x11, 0, 0, 0, 0], "connack 82"],
    ["Request Problem Information 2", [0x17, 2], "connack 82"],
    ["a PUBLISH's property", [0x23, 0, 1], "connack 82"],
    ["a property nobody knows", [0x7f, 0], "connack 81"],
    ["a property that is cut off", [0x21, 0], "connack 81"],
    ["authentication data without a method", [0x16, 0, 1, 0x61], "connack 82"],
    ["a user property with NUL", [0x26, 0, 1, 0, 0, 1, 0x61], "connack 81"],
  ];
  return [
    ...faults,
    ...properties.map(([what, bytes, reason]): Fault => [what, connectWith(5, { properties: bytes }), reason]),
  ];
}

function publishFaults(version: Version): Fault[] {
  const none = version === 5 ? [0] : [];
  const publish = (first: number, topic: Text, properties = none, id = [0, 1]) =>
    packet(first, text(topic), first & 6 ? id : [], properties, 0x78);
  const both: Fault[] = [
    ["PUBLISH: QoS 3", publish(0x36, "a"), malformed],
    ["PUBLISH: DUP with QoS 0", publish(0x38, "a"), malformed],
    ["PUBLISH: packet id 0", publish(0x32, "a", none, [0, 0]), protocolError],
    ["PUBLISH: a wildcard", publish(0x32, "a/#"), "disconnect 90"],
    ["PUBLISH: no topic", publish(0x32, ""), version === 5 ? protocolError : ""],
    ["PUBLISH: NUL", publish(0x32, [0x61, 0]), malformed],
    ["PUBLISH: a surrogate", publish(0x32, surrogate), malformed],
    ["PUBLISH: no UTF-8", publish(0x32, cut), malformed],
    ["PUBLISH: a topic longer than the packet", Buffer.from([0x32, 4, 0, 9, 0x61, 0x61]), malformed],
  ];
  if (version === 4) return both;
  const properties: [string, string, number[], string][] = [
    ["PUBLISH: Topic Alias 0", "a", [3, 0x23, 0, 0], "disconnect 94"],
    ["PUBLISH: a Topic Alias beyond the maximum", "a", [3, 0x23, 0, 200], "disconnect 94"],
    ["PUBLISH: a Topic Alias nobody gave a topic", "", [3, 0x23, 0, 5], protocolError],
    ["PUBLISH: a property twice", "a", [4, 0x01, 1, 0x01, 1], protocolError],
    ["PUBLISH: Payload Format Indicator 2", "a", [2, 0x01, 2], protocolError],
    ["PUBLISH: a Subscription Identifier", "a", [2, 0x0b, 1], protocolError],
    ["PUBLISH: a wildcard as Response Topic", "a", [4, 0x08, 0, 1, 0x23], protocolError],
    ["PUBLISH: a property nobody knows", "a", [2, 0x7f, 0], malformed],
    ["PUBLISH: a CONNECT's property", "a", [3, 0x21, 0, 1], protocolError],
    ["PUBLISH: properties longer than the packet", "a", [100, 0x01], malformed],
  ];
  return [
    ...both,
    ...properties.map(([what, topic, bytes, reason]): Fault => [what, publish(0x32, topic, bytes), reason]),
  ];
}

function filterFaults(version: Version): Fault[] {
  const none = version === 5 ? [0] : [];
  const subscribe = (filter: Text, { options = 1, props = none, id = [0, 1], first = 0x82 } = {}) =>
    packet(first, id, props, text(filter), options);
  const unsubscribe = (filter: Text, { props = none, id = [0, 1], first = 0xa2 } = {}) =>
    packet(first, id, props, text(filter));
  const both: Fault[] = [
    ["SUBSCRIBE: flags", subscribe("a", { first: 0x80 }), malformed],
    ["SUBSCRIBE: packet id 0", subscribe("a", { id: [0, 0] }), protocolError],
    ["SUBSCRIBE: QoS 3", subscribe("a", { options: 3 }), malformed],
    ["SUBSCRIBE: reserved options", subscribe("a", { options: 0xc0 }), malformed],
    ["SUBSCRIBE: no filter", packet(0x82, [0, 1], none), protocolError],
    ["SUBSCRIBE: an empty filter", subscribe(""), "suback 8f"],
    ["SUBSCRIBE: a/#/b", subscribe("a/#/b"), "suback 8f"],
    ["SUBSCRIBE: a+", subscribe("a+"), "suback 8f"],
    ["SUBSCRIBE: a#", subscribe("a#"), "suback 8f"],
    ["SUBSCRIBE: NUL", subscribe([0x61, 0]), malformed],
    ["SUBSCRIBE: a surrogate", subscribe(surrogate), malformed],
    ["SUBSCRIBE: no UTF-8", subscribe(cut), malformed],
    ["SUBSCRIBE: cut off", packet(0x82, [0, 1], none, text("a")), malformed],
    ["UNSUBSCRIBE: flags", unsubscribe("a", { first: 0xa0 }), malformed],
    ["UNSUBSCRIBE: packet id 0", unsubscribe("a", { id: [0, 0] }), protocolError],
    ["UNSUBSCRIBE: no filter", packet(0xa2, [0, 1], none), protocolError],
    ["UNSUBSCRIBE: an empty filter", unsubscribe(""), "unsuback 8f"],
    ["UNSUBSCRIBE: a/#/b", unsubscribe("a/#/b"), "unsuback 8f"],
    ["UNSUBSCRIBE: no UTF-8", unsubscribe(cut), malformed],
  ];
  if (version === 4) return both;
  return [
    ...both,
    ["SUBSCRIBE: Subscription Identifier 0", subscribe("a", { props: [2, 0x0b, 0] }), protocolError],
    ["SUBSCRIBE: Subscription Identifier twice", subscribe("a", { props: [4, 0x0b, 1, 0x0b, 1] }), protocolError],
    ["SUBSCRIBE: Retain Handling 3", subscribe("a", { options: 0x31 }), malformed],
    ["UNSUBSCRIBE: a property nobody knows", unsubscribe("a", { props: [2, 0x7f, 0] }), malformed],
  ];
}

function otherFaults(version: Version): Fault[] {
  const both: Fault[] = [
    ["PUBACK: packet id 0", packet(0x40, [0, 0]), protocolError],
    ["PUBACK: cut off", packet(0x40, [0]), malformed],
    ["PUBACK: flags", packet(0x42, [0, 1]), malformed],
    ["PUBACK: nobody waits for it", packet(0x40, [0, 9]), ""],
    ["PUBREL: flags", packet(0x60, [0, 1]), malformed],
    ["PUBREL: packet id 0", packet(0x62, [0, 0]), protocolError],
    ["PUBREL: nobody waits for it", packet(0x62, [0, 9]), "pubcomp 0"],
    ["PUBCOMP: nobody waits for it", packet(0x70, [0, 9]), ""],
    ["PINGREQ: flags", packet(0xc1), malformed],
    ["PINGREQ: a body", packet(0xc0, 1), malformed],
    ["DISCONNECT: flags", packet(0xe1), malformed],
    ["a second CONNECT", encode(connectPacket(version, "alice:again"), version), protocolError],
    ["what only servers say", packet(0x20, [0, 0]), malformed],
    ["type 0", packet(0x00), malformed],
    ["a length of five bytes", Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 1]), malformed],
    ["AUTH", packet(0xf0), protocolError],
  ];
  if (version === 4)
    return [...both, ["DISCONNECT: a body", packet(0xe0, 0), ""], ["PUBACK: too long", packet(0x40, [0, 1, 0]), ""]];
  return [
    ...both,
    ["PUBACK: a property nobody knows", packet(0x40, [0, 1, 0, 2, 0x7f, 0]), malformed],
    ["DISCONNECT: a property of another packet", packet(0xe0, [0, 3, 0x21, 0, 1]), protocolError],
  ];
}

/** Where the edge closes and Mosquitto 2.0 does not, or the other way round. */
const departures = new Map<string, boolean>([
  // A client asks for its filters on every connection again; SUBACK and UNSUBACK have a reason for this one.
  ["UNSUBSCRIBE: an empty filter", false],
  ["UNSUBSCRIBE: a/#/b", false],
  ["SUBSCRIBE: an empty filter", false],
  ["SUBSCRIBE: a/#/b", false],
  ["SUBSCRIBE: a+", false],
  ["SUBSCRIBE: a#", false],
  // Mosquitto takes these; MQTT does not, and another broker behind the edge might not either.
  ["PUBLISH: DUP with QoS 0", true],
  ["PUBLISH: Payload Format Indicator 2", true],
  ["PUBLISH: a Subscription Identifier", true],
  ["PUBLISH: a wildcard as Response Topic", true],
  ["PUBACK: flags", true],
  ["PUBACK: too long", true],
  ["PINGREQ: flags", true],
  ["PINGREQ: a body", true],
  ["authentication data without a method", true],
]);

for (const version of [4, 5] as const) {
  test(`what Mosquitto closes for the edge closes for, and MQTT 5 is told the reason, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const broker = Number(new URL(mosquitto.url).port);
    const services = { username: "parley", password: Buffer.from(mosquitto.password) };
    const hello = (login: Partial<IConnectPacket>) => encode(connectPacket(version, newClientId(), login), version);
    const compare = async ([what, bytes, reason]: Fault, isFirst: boolean) => {
      const theirs = await reactionOf(t, broker, version, bytes, isFirst ? undefined : hello(services));
      const ours = await reactionOf(t, edge.tcp, version, bytes, isFirst ? undefined : hello({}));
      const closes = departures.get(what) ?? theirs.closes;
      assert.equal(ours.closes, closes, `${what}: ${JSON.stringify({ theirs, ours })}`);
      if (version === 5) assert.equal(ours.said.at(-1) ?? "", reason, what);
    };
    for (const fault of connectFaults(version)) await compare(fault, true);
    const later = [...publishFaults(version), ...filterFaults(version), ...otherFaults(version)];
    for (const fault of later) await compare(fault, false);
  });
}

/** What a server says to `bytes`, behind `hello` if there is one, and whether it closes then. */
async function reactionOf(t: TestContext, port: number, version: Version, bytes: Buffer, hello: Buffer | undefined) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  t.after(() => socket.destroy());
  const parser = mqttPacket.parser({ protocolVersion: version });
  const packets: Packet[] = [];
  let closes = false;
  parser.on("packet", (one) => packets.push(one));
  parser.on("error", () => {});
  socket.on("data", (chunk: Buffer) => parser.parse(chunk));
  socket.on("close", () => {
    closes = true;
  });
  socket.on("error", () => {});
  if (hello !== undefined) {
    socket.write(hello);
    await eventually(() => packets.shift());
  }
  socket.write(hello === undefined ? bytes : Buffer.concat([bytes, encode({ cmd: "pingreq" }, version)]));
  const isAlive = (one: Packet) => one.cmd === "pingresp" || (one.cmd === "connack" && codeOf(one) === 0);
  await eventually(() => closes || packets.some(isAlive));
  socket.destroy();
  return { said: packets.filter(({ cmd }) => cmd !== "pingresp").map(describe), closes };
}

function codeOf(one: Packet): number {
  const { reasonCode, returnCode } = one as { reasonCode?: number; returnCode?: number };
  return reasonCode ?? returnCode ?? 0;
}

function describe(one: Packet): string {
  const { granted } = one as { granted?: number[] };
  return `${one.cmd} ${(granted?.[0] ?? codeOf(one)).toString(16)}`;
}
