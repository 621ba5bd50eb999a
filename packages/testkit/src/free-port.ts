// A TCP port of 127.0.0.1 that nobody listens on.
import { createServer } from "node:net";

// Below every system's range for outgoing connections (Linux 32768, macOS 49152): the port of a server that
// was killed cannot be taken by somebody's outgoing connection before the server is back.
const lowest = 15_000;
const highest = 32_000;

/** True when nobody listens on the port of 127.0.0.1 at this moment. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A free port of 127.0.0.1 that stays out of the way of outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
}
