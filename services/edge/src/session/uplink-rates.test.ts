import assert from "node:assert/strict";
import { test } from "node:test";
import { openUplinkRates } from "./uplink-rates.ts";

const limits = { packets: 1, packetsBurst: 10, bytes: 1000, bytesBurst: 10_000 };
const qos0 = 0x30;
const qos1 = 0x32;
const puback = 0x40;
const subscribe = 0x82;

test("beyond the burst QoS 0 is dropped, and for QoS 1 the device is read more slowly", () => {
  const rates = openUplinkRates(limits);
  const burst = Array.from({ length: 10 }, () => rates.count(qos0, 100));
  assert.deepEqual(new Set(burst), new Set([0]));
  assert.equal(rates.count(qos0, 100), "drop");
  assert.ok(Number(rates.count(qos1, 100)) > 0);
});

test("a SUBSCRIBE of thousands of filters costs as many packets", () => {
  const rates = openUplinkRates({ ...limits, bytesBurst: 1_000_000 });
  assert.equal(rates.count(subscribe, 150), 0);
  assert.equal(rates.count(subscribe, 100_000), 5_000);
  assert.equal(rates.count(qos0, 100), "drop");
});

test("confirmations of what the device was sent cost no packet; bytes always count", () => {
  const rates = openUplinkRates(limits);
  for (let n = 0; n < 100; n += 1) assert.equal(rates.count(puback, 4), 0);
  assert.equal(rates.count(qos1, 9_000), 0);
  assert.ok(Number(rates.count(qos1, 9_000)) > 0);
});
