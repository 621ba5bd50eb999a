// Ends the sockets of a connection: what was said last still goes out.
import type { Duplex } from "node:stream";

/** how long a closed socket may take to send its last words */
const lingerMs = 1000;

/** `onClosed` is called once, when all of them are closed. */
export function letGo(streams: Duplex[], onClosed: () => void): void {
  let open = streams.length;
  const closed = (): void => {
    open -= 1;
    if (open === 0) onClosed();
  };
  for (const stream of streams) {
    if (stream.closed) closed();
    else stream.once("close", closed);
    stream.end();
    stream.resume();
  }
  setTimeout(() => {
    for (const stream of streams) stream.destroy();
  }, lingerMs).unref();
}
