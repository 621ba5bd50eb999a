import assert from "node:assert/strict";
import { test } from "node:test";
import { addressClass } from "./address-class.ts";

test("of an address only its class is told", () => {
  const classes = {
    loopback: ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::FFFF:7f00:1"],
    private: ["10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.0.9", "100.64.0.1", "fd00::1", "fe80::1%eth0"],
    public: ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:1.1.1.1"],
    undefined: ["", "unix", "1.2.3", "a.b", undefined, 7],
  };
  for (const [expected, addresses] of Object.entries(classes))
    for (const address of addresses) assert.equal(String(addressClass(address)), expected, String(address));
});
