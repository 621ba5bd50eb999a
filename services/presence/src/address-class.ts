// What is kept of a device's address: whether it is of this machine, of a private network, or of the internet.
import { isIP } from "node:net";
import type { AddressClass } from "@parley/protocol";
import { plainAddress, readNetworks } from "@parley/runtime";

const loopback = readNetworks("127.0.0.0/8,::1");
// RFC 1918, 3927, 6598; 4193, 4291
const ownNetworks = readNetworks(
  "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,fc00::/7,fe80::/10",
);

/** undefined: it is no address. An IPv4 address within IPv6 counts as IPv4. */
export function addressClass(address: unknown): AddressClass | undefined {
  if (typeof address !== "string" || isIP(plainAddress(address)) === 0) return undefined;
  if (loopback.includes(address)) return "loopback";
  return ownNetworks.includes(address) ? "private" : "public";
}
