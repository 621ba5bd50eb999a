// Tells presence of sessions: those of one turn together, in their order.
import { type SessionEvent, subjects } from "@parley/protocol";

const togetherMost = 500;

/** `publish` loses what cannot be told now, as while NATS is away: presence compares with the broker's list. */
export function openSessionTelling(publish: (subject: string, told: object) => void): (event: SessionEvent) => void {
  let waiting: SessionEvent[] = [];

  function tell(): void {
    const told = waiting;
    waiting = [];
    for (let from = 0; from < told.length; from += togetherMost) {
      const some = told.slice(from, from + togetherMost);
      // As an earlier presence is told.
      publish(subjects.sessionEvent, some.length === 1 ? some[0]! : some);
    }
  }

  return (event) => {
    if (waiting.length === 0) setImmediate(tell);
    waiting.push(event);
  };
}
