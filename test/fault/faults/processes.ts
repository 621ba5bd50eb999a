// Processes that end, freeze, or are asked to go.
import { setTimeout as sleep } from "node:timers/promises";
import type { Part } from "@parley/testkit";
import { type Fault, nameOf, whichOf } from "./fault.ts";

export const services = ["router", "history", "presence", "search", "push", "auth-webhook", "api", "edge"] as const;

/** Every part of a cluster. */
export const parts: readonly Part[] = [...services, "mosquitto", "nats-server", "redis-server"];
const pauseMinMs = 1_000;
const pauseMaxMs = 7_000;
// A lease lives 4 s.
const pastLeaseMinMs = 6_000;
const pastLeaseMaxMs = 10_000;

/** kill -9; the supervisor starts it again. */
export const kill = (part: Part): Fault => ({
  name: `kill -9 ${part}`,
  breaksBroker: part === "mosquitto",
  async inject(cluster, random) {
    const which = whichOf(cluster, part, random);
    await cluster.kill(part, which);
    return nameOf(part, which);
  },
});

/** SIGTERM: it hands over what it holds and ends; the supervisor starts it again. Mosquitto saves its sessions. */
export const restart = (part: Part): Fault => ({
  name: `SIGTERM ${part}`,
  breaksBroker: false,
  async inject(cluster, random) {
    const which = whichOf(cluster, part, random);
    await cluster.kill(part, { ...which, signal: "SIGTERM" });
    return nameOf(part, which);
  },
});

// Long enough for leases to go to nobody, short enough for clients to come back to the same process.
export const freeze = (part: Part): Fault => frozen(`SIGSTOP ${part}`, part, pauseMinMs, pauseMaxMs);

/** Frozen until others have surely taken what it held; it wakes up believing that all is as it was. */
export const freezePastLease = (part: "history" | "router"): Fault =>
  frozen(`SIGSTOP past the lease ${part}`, part, pastLeaseMinMs, pastLeaseMaxMs);

function frozen(name: string, part: Part, minMs: number, maxMs: number): Fault {
  return {
    name,
    breaksBroker: false,
    async inject(cluster, random) {
      const which = whichOf(cluster, part, random);
      await cluster.pause(part, which);
      await sleep(minMs + random.below(maxMs - minMs));
      await cluster.resume(part, which);
      return nameOf(part, which);
    },
  };
}
