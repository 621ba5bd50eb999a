import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlaces } from "./places.ts";

function open(most: number, silentMost = most, silentMs = 10_000) {
  const closed: string[] = [];
  const reasons: string[] = [];
  const onClose = (reason: string) => void reasons.push(reason);
  const places = openPlaces({ most, silentMost, silentMs, onClose });
  const take = (address: string | undefined, name: string) => places.take(address, () => closed.push(name));
  return { places, closed, take, reasons };
}

test("when places run out the oldest silent socket of the address that has most of them gives way", () => {
  const { closed, take, reasons } = open(6);
  take("10.0.0.1", "honest");
  for (const name of ["a", "b", "c", "d", "e", "f", "g"]) assert.ok(take("10.0.0.2", name));
  assert.ok(take("10.0.0.3", "another"));
  assert.deepEqual(closed, ["a", "b", "c"]);
  assert.deepEqual(reasons, Array(3).fill("crowded_out"));
});

test("12,000 silent sockets of one address, or of as many, keep no other out", () => {
  for (const addresses of [1, 12_000]) {
    const { closed, take } = open(2000);
    for (let index = 0; index < 12_000; index++) {
      const of = index % addresses;
      take(`10.0.${of >> 8}.${of & 255}`, "silent");
    }
    const place = take("192.0.2.1", "honest");
    place?.spoke();
    for (let index = 0; index < 12_000; index++) take("10.0.0.1", "silent");
    assert.ok(place && !closed.includes("honest"));
  }
});

test("sockets of one IPv6 /64 count as one address", () => {
  const { closed, take } = open(3);
  take("10.0.0.1", "honest");
  for (const name of ["a", "b", "c"]) take(`2001:db8::${name}`, name);
  assert.deepEqual(closed, ["a"]);
});

test("silent sockets have a bound of their own, devices keep their places, and who leaves makes room", () => {
  const { places, closed, take } = open(4, 2);
  const devices = ["x", "y", "z"].map((name) => take("10.0.0.1", name)!);
  assert.deepEqual(closed, ["x"]);
  for (const device of devices.slice(1)) device.spoke();
  assert.equal(places.silent(), 0);
  for (const name of ["p", "q"]) take("10.0.0.2", name)!.spoke();
  assert.equal(take("10.0.0.3", "none left"), undefined);
  devices[1]!.leave();
  devices[1]!.leave();
  assert.ok(take("10.0.0.3", "one left"));
  assert.ok(take("10.0.0.3", "in its place"));
  assert.deepEqual(closed, ["x", "one left"]);
});

test("a socket behind a proxy counts for the proxy's client as soon as that is known", () => {
  const { closed, take } = open(4);
  const first = take(undefined, "first");
  take("10.0.0.2", "second");
  first?.belongTo("10.0.0.2");
  take("10.0.0.1", "a");
  take("10.0.0.3", "b");
  take("10.0.0.4", "c");
  assert.deepEqual(closed, ["second"]);
  first?.leave();
  first?.belongTo("10.0.0.2");
  first?.spoke();
});

test("a socket that has been silent for too long is closed, also one whose client a proxy named late", () => {
  const { places, closed, take, reasons } = open(9, 9, 500);
  const openedAt = performance.now();
  const proxied = take(undefined, "proxied");
  take("10.0.0.1", "silent");
  const device = take("10.0.0.1", "device");
  proxied?.belongTo("10.0.0.2");
  device?.spoke();
  places.sweep(openedAt + 499);
  assert.deepEqual(closed, []);
  places.sweep(performance.now() + 500);
  assert.deepEqual(closed, ["proxied", "silent"]);
  assert.equal(places.silent(), 0);
  assert.deepEqual(reasons, ["silent", "silent"]);
});
