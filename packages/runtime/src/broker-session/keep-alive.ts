// PINGREQ, and the death of a broker that says nothing.

export type KeepAlive = {
  /** Something came from the broker. */
  heard(): void;
  stop(): void;
};

/** A ping every half of the time, whatever else is sent: a silent broker is noticed within `seconds`. */
export function startKeepAlive(seconds: number, ping: () => void, dead: () => void): KeepAlive {
  if (seconds === 0) return { heard: () => undefined, stop: () => undefined };
  let waiting = false;
  let verdict: NodeJS.Immediate | undefined;
  const tick = () => {
    if (waiting) {
      // After a blocked event loop the answer may lie in the socket: judge after the sockets were read.
      verdict = setImmediate(() => waiting && dead());
      return;
    }
    waiting = true;
    ping();
  };
  const timer = setInterval(tick, seconds * 500);
  return {
    heard() {
      waiting = false;
    },
    stop() {
      clearInterval(timer);
      clearImmediate(verdict);
    },
  };
}
