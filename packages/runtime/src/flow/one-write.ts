// What is said to a stream in one turn leaves in one write.
import type { Duplex } from "node:stream";

/** The stream's `write`; it is corked until the end of the turn. */
export function openOneWrite(stream: Duplex): (bytes: Uint8Array) => void {
  let isCorked = false;
  const uncork = (): void => {
    isCorked = false;
    stream.uncork();
  };
  return (bytes) => {
    if (!isCorked) {
      isCorked = true;
      stream.cork();
      setImmediate(uncork);
    }
    stream.write(bytes);
  };
}
