// Where what users name may be fetched from or sent to: public addresses and those that the deployment allows, looked up once.
import { type LookupAddress, promises } from "node:dns";
import { isIP } from "node:net";
import type { Networks } from "./address.ts";
import { isPublicAddress } from "./public-address.ts";

export interface Guard {
  /** The addresses that this host has now, to be connected to as they are, or why there is nobody to be asked. */
  addressesOf(url: URL, signal: AbortSignal): Promise<LookupAddress[] | "forbidden" | "unknown">;
}

type Resolver = Pick<promises.Resolver, "resolve4" | "resolve6" | "cancel">;

const publicPorts = ["", "80", "443"];
const addressesMax = 8;

export function createGuard(allowed: Networks, openResolver: () => Resolver = openDns): Guard {
  return {
    async addressesOf(url, signal) {
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      const addresses = isIP(host) === 0 ? await resolve(openResolver(), host, signal) : [host];
      const isPublicPort = publicPorts.includes(url.port);
      const mayBeAsked = (address: string) => allowed.includes(address) || (isPublicPort && isPublicAddress(address));
      if (addresses.length === 0) return "unknown";
      if (!addresses.every(mayBeAsked)) return "forbidden";
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
