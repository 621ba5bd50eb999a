// What all sockets of devices and of the broker have in common.
import type { Duplex } from "node:stream";

/** A stream that fails is closed, and `close` tells of it. One function for all of them: a closure each would be memory of each. */
export function destroyOnError(stream: Duplex): void {
  stream.on("error", destroyIt);
}

function destroyIt(this: Duplex): void {
  this.destroy();
}
