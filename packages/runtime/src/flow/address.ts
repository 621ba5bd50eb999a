// Addresses of devices: what counts as one of them, and whose word is taken for one that comes through a proxy.
import { BlockList, isIP, isIPv4 } from "node:net";

/** What limits count by: an IPv4 address as it is, of IPv6 its /64, which is what one customer is given. */
export function addressKey(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  return `${groupsOf(plain).slice(0, 4).join(":")}::/64`;
}

/** Without a zone, and an IPv4-mapped IPv6 address as IPv4. What is no address stays as it is. */
export function plainAddress(address: string): string {
  const text = address.split("%", 1)[0]!.toLowerCase();
  if (isIP(text) !== 6) return text;
  const groups = groupsOf(text);
  if (groups.slice(0, 6).join(":") !== "0:0:0:0:0:ffff") return text;
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((pair) => [pair >> 8, pair & 255])
    .join(".");
}

/** The eight groups of an IPv6 address, each in lower-case hex without leading zeros [RFC 4291 2.2]. */
function groupsOf(address: string): string[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high = "0", low = "0") => (Number(high) * 256 + Number(low)).toString(16);
  const text = dotted ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}` : address;
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16).toString(16));
}

export interface Networks {
  includes(address: string): boolean;
}

/** A setting of addresses and CIDRs with commas between. Throws a RangeError that names what is neither. */
export function readNetworks(text: string): Networks {
  const list = new BlockList();
  for (const entry of text.split(",").map((one) => one.trim())) {
    if (entry === "") continue;
    const [address = "", bits] = entry.split("/");
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || prefix < 0 || prefix > most)
      throw new RangeError(`${entry} is no address like 10.0.0.1 and no CIDR like 10.0.0.0/8`);
    list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  return {
    includes(address) {
      const plain = plainAddress(address);
      return isIP(plain) !== 0 && list.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
    },
  };
}

/**
 * Whose request it is: the socket's address, or, behind trusted proxies, the last address of `X-Forwarded-For` that is not
 * a trusted proxy's. What stands before that one is only what the client itself says.
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | string[] | undefined,
  trusted: Networks,
): string {
  let address = plainAddress(socketAddress ?? "");
  const hops = [forwardedFor ?? ""].flat().join(",").split(",");
  for (const hop of hops.toReversed()) {
    if (!trusted.includes(address)) break;
    const before = plainAddress(withoutPort(hop.trim()));
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}
