// Where the broker is, as Node connects to it.
import type { NetConnectOpts } from "node:net";

/** Of `mqtt://host:port`, `mqtts://host:port`, or on one machine `unix:///path/of/its/socket`, which takes less CPU there than TCP. */
export function brokerAddress(url: string): NetConnectOpts {
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol === "unix:") return { path: decodeURIComponent(pathname) };
  const host = hostname.replace(/^\[|\]$/g, "");
  return { host, port: Number(port || (protocol === "mqtts:" ? 8883 : 1883)), noDelay: true };
}
