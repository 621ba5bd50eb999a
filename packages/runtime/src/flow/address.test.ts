import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey, clientAddress, plainAddress, readNetworks } from "./address.ts";

test("limits count IPv4 by address and IPv6 by /64, however it is written", () => {
  const cases: [string, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:0201", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
    ["unknown", "unknown"],
  ];
  for (const [address, key] of cases) assert.equal(addressKey(address), key, address);
  assert.equal(plainAddress("::ffff:10.0.0.1"), "10.0.0.1");
});

test("X-Forwarded-For is believed of trusted proxies alone, from the right, up to the first that is none", () => {
  const trusted = readNetworks("127.0.0.1, 10.0.0.0/8 ,2001:db8::/32");
  const cases: [string, string | string[] | undefined, string][] = [
    ["203.0.113.9", "1.2.3.4", "203.0.113.9"],
    ["127.0.0.1", undefined, "127.0.0.1"],
    ["127.0.0.1", "", "127.0.0.1"],
    ["127.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"],
    ["127.0.0.1", "203.0.113.9, 10.1.1.1", "203.0.113.9"],
    ["127.0.0.1", ["1.2.3.4", "203.0.113.9, 10.1.1.1"], "203.0.113.9"],
    ["127.0.0.1", "203.0.113.9:4711", "203.0.113.9"],
    ["127.0.0.1", "[2001:db9::7]:4711", "2001:db9::7"],
    ["2001:db8::1", "203.0.113.9", "203.0.113.9"],
    ["127.0.0.1", "203.0.113.9, nonsense", "127.0.0.1"],
    ["127.0.0.1", "nonsense, 10.2.2.2", "10.2.2.2"],
  ];
  for (const [socket, header, expected] of cases)
    assert.equal(clientAddress(socket, header, trusted), expected, `${socket} ${header}`);
  assert.equal(clientAddress("127.0.0.1", "1.2.3.4", readNetworks("")), "127.0.0.1");
});

test("a trusted proxy that is no address and no CIDR is named", () => {
  for (const wrong of ["localhost", "10.0.0.0/33", "10.0.0.0/x", "::/129", "10.0.0", "10.0.0.1/"])
    assert.throws(() => readNetworks(`127.0.0.1,${wrong}`), { name: "RangeError", message: new RegExp(wrong) });
});
