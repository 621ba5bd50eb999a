// Where pages may be fetched from: public addresses and those that the deployment allows, resolved once for each request.
import { type LookupAddress, promises } from "node:dns";
import { isIP } from "node:net";
import { type Networks, readNetworks } from "@parley/runtime";

export interface Guard {
  /** The addresses that this host has now, to be connected to as they are; undefined: the page may not be asked for. */
  addressesOf(url: URL, signal: AbortSignal): Promise<LookupAddress[] | undefined>;
}

type Resolver = Pick<promises.Resolver, "resolve4" | "resolve6" | "cancel">;

const publicPorts = ["", "80", "443"];
const addressesMax = 8;

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

export function isPublic(address: string): boolean {
  return unicast.includes(address) && !special.includes(address);
}

export function createGuard(allowed: Networks, openResolver: () => Resolver = openDns): Guard {
  return {
    async addressesOf(url, signal) {
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      const addresses = isIP(host) === 0 ? await resolve(openResolver(), host, signal) : [host];
      const isPublicPort = publicPorts.includes(url.port);
      const mayBeAsked = (address: string) => allowed.includes(address) || (isPublicPort && isPublic(address));
      if (addresses.length === 0 || !addresses.every(mayBeAsked)) return undefined;
      return addresses.slice(0, addressesMax).map((address) => ({ address, family: isIP(address) }));
    },
  };
}

// DNS itself, not getaddrinfo: that knows names of this machine, and slow answers would hold the threads that files need.
function openDns(): Resolver {
  return new promises.Resolver({ timeout: 2_000, tries: 2 });
}

async function resolve(resolver: Resolver, host: string, signal: AbortSignal): Promise<string[]> {
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  signal.removeEventListener("abort", cancel);
  signal.throwIfAborted();
  return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}
