import assert from "node:assert/strict";
import { test } from "node:test";
import { testDesk } from "../../test/desk.ts";
import { DirectDevice } from "../direct/direct-device.ts";
import { Framing } from "../packets/framing.ts";
import { writePacket } from "../packets/packets.ts";
import { passDownlink } from "./downlink.ts";

const pingresp = Buffer.from([0xd0, 0]);

function publish(text: string, messageId: number): Buffer {
  const packet = { cmd: "publish", topic: "im/dn/ann/m", qos: 1, retain: false, dup: false } as const;
  return writePacket({ ...packet, payload: text, messageId }, 4);
}

function openDevice() {
  const device = testDesk({
    clientId: "ann:phone",
    username: "ann",
    version: 4,
    wantsWords: false,
    maxPacketBytes: 1_000_000,
  });
  const sent: Buffer[] = [];
  const ways = { toDevice: (bytes: Buffer) => void sent.push(Buffer.from(bytes)), toBroker: () => undefined };
  const direct = new DirectDevice({ ...ways, pings: () => device.pings, owed: device.owed, version: 4 });
  device.direct = direct;
  const take = (...packets: Buffer[]) => {
    const frame = new Framing(1_000_000);
    frame.push(Buffer.concat(packets));
    passDownlink(frame, device, ways);
  };
  const ends: string[] = [];
  const send = (text: string) =>
    direct.send(
      { topic: "im/dn/ann/m", payload: Buffer.from(text), end: (how) => void ends.push(`${text} ${how}`) },
      1,
    );
  return { device, direct, sent: () => Buffer.concat(sent).toString("latin1"), take, send, ends };
}

test("a copy that waited for what the broker had goes out behind it, also when both come in one piece", () => {
  const { direct, sent, take, send } = openDevice();
  direct.holdBack();
  send("past the broker");
  take(publish("through the broker", 1), pingresp);
  const [through, past] = ["through the broker", "past the broker"].map((text) => sent().indexOf(text));
  assert.ok(through !== -1 && past !== -1 && through! < past!, sent());
});

test("what waits behind more than a broker has in flight is left to it, however fast the device confirmed that", () => {
  const { device, direct, take, send, ends } = openDevice();
  direct.holdBack();
  send("newest");
  for (let id = 1; id <= 240; id++) {
    take(publish("queued", id));
    device.owed.confirmed({ bytes: Buffer.from([0x40, 2, 0, id]), start: 0, body: 2, end: 4 });
  }
  take(pingresp);
  assert.deepEqual(ends, ["newest late"]);
});

test("what waits for a broker that does not answer is left to it after a while", () => {
  const { direct, send, ends, take, sent } = openDevice();
  direct.holdBack();
  send("held");
  direct.look(performance.now() + 60_000);
  assert.deepEqual(ends, ["held late"]);
  take(pingresp);
  assert.equal(sent(), "");
});

test("of what the broker has from now on, what the device has not confirmed goes there first, in its order", () => {
  const { direct, send, ends } = openDevice();
  for (const text of ["1", "2"]) send(text);
  direct.leaveToBroker("im/dn/ann/d/ann:phone");
  assert.deepEqual(ends, []);
  direct.leaveToBroker("im/dn/ann/m");
  assert.deepEqual(ends, ["1 late", "2 late"]);
});
