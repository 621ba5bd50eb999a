// TCP ports of 127.0.0.1 that nobody listens on, and that nobody else who asks here is given.
import { createServer, type Server } from "node:net";

// Below every system's range for outgoing connections (Linux 32768, macOS 49152): the port of a server that
// was killed cannot be taken by somebody's outgoing connection before the server is back.
const lowest = 15_000;
const highest = 32_000;
// A process owns whole blocks: it listens on the first port of each for as long as it lives. Without that, two that
// start at the same time choose the same port sooner or later: between the look and the listening lie seconds.
const blockSize = 50;
const blocksUsually = 10;

const owned: number[] = [];
let next = 0;
let taking: Promise<unknown> = Promise.resolve();

/** True when nobody listens on the port of 127.0.0.1 at this moment. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listenOn(port);
  if (server === undefined) return false;
  return new Promise((resolve) => server.close(() => resolve(true)));
}

/**
 * A free port of 127.0.0.1 that stays out of the way of outgoing connections. No other process is given it by this
 * function while this one lives, and this one not again before some hundred others. Throws when all are in use.
 */
export function freePort(): Promise<number> {
  // One after the other: two at once would claim a block each.
  const port = taking.then(takePort);
  taking = port.catch(() => {});
  return port;
}

async function takePort(): Promise<number> {
  for (let tried = 0; ; tried += 1) {
    if (next === owned.length) {
      const isAllUsed = tried >= owned.length;
      if (isAllUsed || owned.length < blocksUsually * (blockSize - 1)) owned.push(...(await claimBlock()));
      else next = 0;
    }
    const port = owned[next++] as number;
    if (await isFree(port)) return port;
  }
}

async function claimBlock(): Promise<number[]> {
  const blocks = (highest - lowest) / blockSize;
  const start = Math.floor(Math.random() * blocks);
  for (let tried = 0; tried < blocks; tried += 1) {
    const first = lowest + ((start + tried) % blocks) * blockSize;
    const guard = await listenOn(first);
    guard?.unref();
    if (guard) return Array.from({ length: blockSize - 1 }, (_, index) => first + 1 + index);
  }
  throw new Error(`no free block of ports between ${lowest} and ${highest}: end what else runs on this machine`);
}

function listenOn(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  });
}
