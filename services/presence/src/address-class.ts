// What is kept of a device's address: whether it is of this machine, of a private network, or of the internet.
import { BlockList, isIP } from "node:net";
import type { AddressClass } from "@parley/protocol";

const loopback = listOf(["127.0.0.0", 8], ["::1", 128]);
// RFC 1918, 3927, 6598; 4193, 4291
const ownNetworks = listOf(
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
  ["fc00::", 7],
  ["fe80::", 10],
);

/** undefined: it is no address. An IPv4 address within IPv6 counts as IPv4. */
export function addressClass(address: unknown): AddressClass | undefined {
  const plain = typeof address === "string" ? address.replace(/%.*$/, "").replace(/^::ffff:(?=[\d.]+$)/i, "") : "";
  const version = isIP(plain);
  if (version === 0) return undefined;
  const family = version === 4 ? "ipv4" : "ipv6";
  if (loopback.check(plain, family)) return "loopback";
  return ownNetworks.check(plain, family) ? "private" : "public";
}

function listOf(...networks: [address: string, bits: number][]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, isIP(address) === 4 ? "ipv4" : "ipv6");
  return list;
}
