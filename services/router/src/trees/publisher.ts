// What one device is sent goes out without waiting for each other; what it has by that is known in order.
import type { Said } from "@parley/protocol/dialects";
import type { Logger } from "@parley/runtime";

export interface Publisher {
  /**
   * `done` is called when the broker has all of it, and what was said before; of nothing said, when it has what was said before. Waits
   * where too much is under way; undefined: it does not.
   */
  publish(said: readonly Said[], done?: () => void): Promise<unknown> | undefined;
  isIdle(): boolean;
}

/** Publishes that the broker has not confirmed. */
const inFlightMax = 100;

/** `publish` resolves when the broker has it. */
export function openPublisher({ publish, log }: { publish(said: Said): Promise<void>; log: Logger }): Publisher {
  let inFlight = 0;
  /** Did the broker take what was published last? It answers in order. */
  let last: Promise<boolean> = Promise.resolve(true);

  function publishAll(said: readonly Said[], done: (() => void) | undefined): Promise<boolean> {
    const [only] = said;
    inFlight += said.length;
    const sent = only && said.length === 1 ? publish(only) : Promise.all(said.map(publish));
    return sent.then(
      () => {
        inFlight -= said.length;
        done?.();
        return true;
      },
      (error: unknown) => {
        inFlight -= said.length;
        log.debug({ event: "not_said", reason: String(error) });
        return false;
      },
    );
  }

  return {
    isIdle: () => inFlight === 0,
    publish(said, done) {
      if (said.length > 0) last = publishAll(said, done);
      else if (done)
        last = last.then((isSent) => {
          if (isSent) done();
          return isSent;
        });
      return inFlight > inFlightMax ? last : undefined;
    },
  };
}
