import assert from "node:assert/strict";
import { test } from "node:test";
import mqtt from "mqtt-packet";
import { Framing } from "../packets/framing.ts";
import { confirmation, readPacket, type Version, writePacket } from "../packets/packets.ts";
import { openOwed } from "../uplink/owed.ts";
import { DirectDevice, lateAfterMs, windowMax } from "./direct-device.ts";

const ping = Buffer.from([0xc0, 0]);

/** A device between an edge that is really there and a broker that is played. */
function played({ version = 4, pings = 0 }: { version?: Version; pings?: number } = {}) {
  const toDevice: Buffer[] = [];
  const toBroker: Buffer[] = [];
  const owed = openOwed();
  const device = new DirectDevice({
    version,
    owed,
    pings: () => pings,
    toDevice: (bytes) => toDevice.push(bytes),
    toBroker: (bytes) => toBroker.push(bytes),
  });
  const ends: string[] = [];
  const send = (text: string, qos: 0 | 1 = 1) =>
    device.send({ topic: "im/dn/ann/m", payload: Buffer.from(text), end: (how) => ends.push(`${text} ${how}`) }, qos);
  const sent = () =>
    toDevice.splice(0).map((bytes) => {
      const { payload, messageId, qos, topic } = readPacket(bytes, "publish", version)!;
      assert.equal(topic, "im/dn/ann/m");
      return { text: payload.toString(), id: messageId ?? 0, qos };
    });
  const fromBroker = (text: string, messageId: number) =>
    frameOf(
      writePacket(
        { cmd: "publish", topic: "im/dn/ann/m", payload: text, qos: 1, messageId, dup: false, retain: false },
        version,
      ),
    );
  return { device, owed, ends, send, sent, toBroker: () => toBroker.splice(0), fromBroker };
}

function frameOf(bytes: Buffer): Framing {
  const framing = new Framing(1_000_000);
  framing.push(bytes);
  assert.equal(framing.next(), "packet");
  return framing;
}

const puback = (id: number) => frameOf(confirmation("puback", id));
const late = () => performance.now() + lateAfterMs + 1;

test("a copy is a PUBLISH of QoS 1 in the device's version, and ends when that is confirmed", () => {
  for (const version of [4, 5] as const) {
    const { device, send, sent, ends } = played({ version });
    send("hi");
    const [packet] = sent();
    assert.deepEqual({ text: packet?.text, qos: packet?.qos }, { text: "hi", qos: 1 });
    assert.deepEqual(ends, []);
    assert.equal(device.confirmed(puback(packet!.id)), true);
    assert.deepEqual(ends, ["hi confirmed"]);
  }
});

test("a device that subscribed at QoS 0 confirms nothing", () => {
  const { send, sent, ends } = played();
  send("hi", 0);
  assert.deepEqual([sent()[0]?.qos, ends], [0, ["hi confirmed"]]);
});

test("PUBACKs of the broker's packets, and of nobody's, are not ours", () => {
  const { device, send } = played();
  send("hi");
  assert.equal(device.confirmed(puback(1)), false);
  assert.equal(device.confirmed(puback(65_535)), false);
});

test("packet ids are not used twice while they are under way, by the edge or by the broker", () => {
  const { device, owed, send, sent, fromBroker } = played();
  owed.sent(fromBroker("broker's", 32_769));
  const used = new Set<number>();
  for (let count = 0; count < 40_000; count++) {
    send("kept");
    const [{ id } = { id: 0 }] = sent();
    assert.ok(id >= 32_768 && id !== 32_769 && !used.has(id));
    used.add(id);
    if (used.size < windowMax) continue;
    const [first] = used;
    used.delete(first as number);
    device.confirmed(puback(first as number));
  }
});

test("the window has room for so many copies, and so many bytes, and again when they are confirmed", () => {
  const { device, send, sent } = played();
  for (let count = 0; count < windowMax; count++) send("x");
  assert.equal(device.hasRoom(1), false);
  device.confirmed(puback(sent()[0]!.id));
  assert.equal(device.hasRoom(1), true);
  assert.equal(device.hasRoom(256 * 1024), false);
});

test("copies that are held back go out behind what the broker had", () => {
  const { device, send, sent, toBroker } = played();
  device.holdBack();
  assert.deepEqual(toBroker(), [ping]);
  send("one");
  send("two");
  assert.deepEqual(sent(), []);
  assert.equal(device.answered(), true);
  assert.deepEqual(
    sent().map(({ text }) => text),
    ["one", "two"],
  );
  assert.equal(device.answered(), false);
});

test("the device's own PINGRESP comes first, and is its own", () => {
  const { device, send, sent } = played({ pings: 1 });
  device.holdBack();
  send("one");
  assert.equal(device.answered(), false);
  assert.deepEqual(sent(), []);
  assert.equal(device.answered(), true);
  assert.equal(sent().length, 1);
});

test("who holds back while it is held back asks the broker again behind that", () => {
  const { device, send, sent, toBroker } = played();
  device.holdBack();
  device.holdBack();
  send("one");
  assert.deepEqual(toBroker(), [ping]);
  assert.equal(device.answered(), true);
  assert.deepEqual([sent(), toBroker()], [[], [ping]]);
  assert.equal(device.answered(), true);
  assert.equal(sent().length, 1);
});

test("what is held back is late where much of the broker's is not confirmed: more may wait behind it", () => {
  const { device, owed, send, sent, ends, fromBroker } = played();
  for (let id = 1; id <= 201; id++) owed.sent(fromBroker("broker's", id));
  device.holdBack();
  send("one");
  device.answered();
  assert.deepEqual([sent(), ends], [[], ["one late"]]);
});

test("a copy that is not confirmed in time is late once, and there is room again when it is confirmed", () => {
  const { device, send, sent, ends } = played();
  send("one");
  device.look(performance.now());
  assert.deepEqual(ends, []);
  device.look(late());
  device.look(late());
  assert.deepEqual(ends, ["one late"]);
  assert.equal(device.hasRoom(1), false);
  device.confirmed(puback(sent()[0]!.id));
  assert.deepEqual([ends, device.hasRoom(1), device.size], [["one late"], true, 0]);
});

test("the broker's packet for a late copy is not sent again, and is confirmed when the copy is", () => {
  for (const version of [4, 5] as const) {
    const { device, send, sent, toBroker, fromBroker } = played({ version });
    send("one");
    device.look(late());
    assert.equal(device.isKnown(fromBroker("other", 8)), false);
    assert.equal(device.isKnown(fromBroker("one", 9)), true);
    assert.deepEqual(toBroker(), []);
    device.confirmed(puback(sent()[0]!.id));
    assert.deepEqual(toBroker(), [confirmation("puback", 9)]);
  }
});

test("the broker's packet for a copy that was confirmed late is confirmed at once", () => {
  const { device, send, sent, toBroker, fromBroker } = played();
  send("one");
  device.look(late());
  device.confirmed(puback(sent()[0]!.id));
  assert.equal(device.isKnown(fromBroker("one", 9)), true);
  assert.deepEqual(toBroker(), [confirmation("puback", 9)]);
  assert.equal(device.isKnown(fromBroker("one", 10)), false);
});

test("at the end what is not confirmed is late where the session goes on, and else gone; what was late is not told again", () => {
  for (const persists of [true, false]) {
    const { device, send, ends } = played();
    send("one");
    device.look(late());
    ends.length = 0;
    send("two");
    device.holdBack();
    send("three");
    device.close(persists);
    const how = persists ? "late" : "gone";
    assert.deepEqual(ends, [`two ${how}`, `three ${how}`]);
  }
});

test("a packet of the broker under the id of a copy that was never confirmed is seen", () => {
  const { device, send, sent, fromBroker } = played();
  send("one");
  const [{ id } = { id: 0 }] = sent();
  assert.equal(device.collides(fromBroker("other", id)), true);
  assert.equal(device.collides(fromBroker("other", id + 1)), false);
});

test("what the test reads is what mqtt-packet writes", () => {
  const written = mqtt.generate({ cmd: "puback", messageId: 5 });
  assert.deepEqual(written, confirmation("puback", 5));
});
