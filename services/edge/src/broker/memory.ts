// Keeps the broker's memory free: what gathers there for devices that are away or do not read goes before it is full.
import { gauge, openReminders, type ServiceContext } from "@parley/runtime";
import { closeOfUsers, closeWorst, type Holder } from "./holding.ts";

/** Shares of the broker's memory at which the edge does something. The rest is for services and for what is under way. */
const few = 3 / 8;
const all = 1 / 2;
/** Of devices that are connected those that confirm slowly go as well. */
const urgent = 5 / 8;
const full = 9 / 10;
/** what the devices of one user may hold without confirming any of it */
const userShare = 1 / 32;

/** Below `all` so many sessions end a second, longest away first. */
const fewSessions = 500;

export interface BrokerMemory {
  /** As a probe found it, about once a second. */
  heard(heapBytes: number | undefined): void;
}

/** A broker that does not say how much memory it uses is left to its own settings. */
export function watchBrokerMemory(options: {
  limitBytes: number;
  /** Ends so many sessions whose devices are away, longest away first; answers how many do. */
  endLongestAway(count: number): number;
  /** Closes the connections of devices that do not read; answers how many there were. */
  closeUnread(): number;
  holders(): Iterable<Holder>;
  /** Finds sessions that this edge does not know of. */
  learn(): void;
  context: Pick<ServiceContext, "health" | "metrics" | "log">;
}): BrokerMemory {
  const { limitBytes, endLongestAway, closeUnread, holders, learn, context } = options;
  let heap = 0;
  const reminders = openReminders();
  gauge(context.metrics, "edge_broker_heap_bytes", "memory the broker uses, as it says", () => heap);
  context.health.check("broker memory", () => heap < full * limitBytes || "the broker's memory is almost full");
  return {
    heard(heapBytes) {
      heap = heapBytes ?? 0;
      const ofUsers = closeOfUsers(holders(), userShare * limitBytes);
      if (ofUsers > 0) context.log.warn({ event: "unconfirmed_closed", devices: ofUsers });
      if (heap < few * limitBytes) return;
      const ended = endLongestAway(heap < all * limitBytes ? fewSessions : Number.POSITIVE_INFINITY);
      // Sessions of an edge that is gone are among those that fill it.
      if (ended === 0) learn();
      const closed = heap < all * limitBytes ? 0 : closeUnread() + closeWorst(holders(), heap >= urgent * limitBytes);
      const line = {
        event: "broker_memory_short",
        heap,
        limit: limitBytes,
        sessionsEnded: ended,
        devicesClosed: closed,
      };
      if (reminders.isDue(line.event)) context.log.warn(line);
    },
  };
}
