// Which addresses are of the public internet: what users name is never asked for inside of one's own network.
import { readNetworks } from "./address.ts";

/** IPv6 has one block of public unicast addresses: what maps or embeds IPv4 addresses elsewhere is not in it. */
const unicast = readNetworks("0.0.0.0/0,2000::/3");
/** The special-purpose registries of IANA [RFC 6890], multicast, and a cloud's metadata that has a public address. */
const special = readNetworks(
  [
    "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.31.196.0/24",
    "192.52.193.0/24,192.88.99.0/24,192.168.0.0/16,192.175.48.0/24,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24",
    "224.0.0.0/4,240.0.0.0/4,168.63.129.16",
    "2001::/23,2001:db8::/32,2002::/16,2620:4f:8000::/48,3fff::/20",
  ].join(","),
);

export function isPublicAddress(address: string): boolean {
  return unicast.includes(address) && !special.includes(address);
}
