// How long the connection to NATS waits before it is tried again.

const leastMs = 50;
const spreadMs = 450;
/** between the question how long to wait and the note of when it was tried */
const slackMs = 1_000;

/**
 * Asked before each attempt, in ms. @nats-io/nats-core 3.4.0 tells by the wall clock whether the time is over: after a clock that went
 * back by an hour it would try nothing for an hour. Then every second answer is so far in the past that it tries at once
 * (findings/nats-reconnect-after-clock-step.sh).
 */
export function openReconnectDelay(): () => number {
  let latest = 0;
  let isWaiting = false;
  return () => {
    const waitMs = leastMs + Math.random() * spreadMs;
    const at = Date.now();
    const backMs = latest - at;
    if (backMs <= 0) {
      latest = at;
      return waitMs;
    }
    isWaiting = !isWaiting;
    return isWaiting ? waitMs : -(backMs + slackMs);
  };
}
