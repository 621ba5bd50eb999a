// One direction of one connection through a link: bytes come in, wait as long as the mode says, and go out in order.
import type { Socket } from "node:net";

/** What a link does to the bytes of one direction. */
export type Mode =
  | { kind: "pass" }
  | { kind: "delay"; ms: number }
  | { kind: "drip"; bytesPerSecond: number }
  /** nothing is forwarded and nothing read: it waits in the sender's own buffers */
  | { kind: "hold" }
  /** read and thrown away */
  | { kind: "drop" };

export interface Lane {
  /** The mode is another one. */
  changed(): void;
  /** Bytes are gone: what came after them must never be forwarded on the same connection. */
  lossy(): boolean;
}

type Item = { what: Buffer | "end" | "reset"; at: number };

const heldBytes = 1_048_576;
const dripEveryMs = 50;

/** Forwards until either side closes. Both sockets need `allowHalfOpen`, so that an end is passed on as late as bytes are. */
export function startLane(from: Socket, to: Socket, mode: () => Mode): Lane {
  const queue: Item[] = [];
  let waitingBytes = 0;
  let lost = false;
  let nextDripAt = 0;
  let timer: NodeJS.Timeout | undefined;

  function take(what: Item["what"]): void {
    if (Buffer.isBuffer(what)) waitingBytes += what.length;
    queue.push({ what, at: performance.now() });
    drain();
  }

  function waitMsOf(item: Item): number {
    const now = mode();
    if (now.kind === "hold") return Number.POSITIVE_INFINITY;
    if (now.kind === "delay") return item.at + now.ms - performance.now();
    return now.kind === "drip" ? nextDripAt - performance.now() : 0;
  }

  function drain(): void {
    clearTimeout(timer);
    for (let item = queue[0]; item; item = queue[0]) {
      const waitMs = waitMsOf(item);
      if (waitMs > 0) {
        if (waitMs < Number.POSITIVE_INFINITY) timer = setTimeout(drain, waitMs);
        break;
      }
      if (to.writableLength > heldBytes) break;
      forward(item);
    }
    const full = waitingBytes > heldBytes || to.writableLength > heldBytes;
    if (full || mode().kind === "hold") from.pause();
    else from.resume();
  }

  function forward(item: Item): void {
    const now = mode();
    if (item.what === "reset") to.resetAndDestroy();
    if (!Buffer.isBuffer(item.what)) {
      if (item.what === "end" && !to.destroyed) to.end();
      queue.shift();
      return;
    }
    const most = now.kind === "drip" ? Math.max(1, Math.round((now.bytesPerSecond * dripEveryMs) / 1_000)) : Infinity;
    const part = item.what.subarray(0, most);
    if (now.kind === "drop") lost = true;
    else if (!to.destroyed) to.write(part);
    if (now.kind === "drip") nextDripAt = performance.now() + dripEveryMs;
    waitingBytes -= part.length;
    if (part.length === item.what.length) queue.shift();
    else item.what = item.what.subarray(part.length);
  }

  from.on("data", take).on("end", () => take("end"));
  from.on("error", () => take("reset"));
  to.on("drain", drain).on("close", () => clearTimeout(timer));
  drain();
  return { changed: drain, lossy: () => lost };
}
