// Which breaker a notification is under: of APNs and FCM one for all; of Web Push one for each push service, as users name those themselves.
import { LRUCache } from "lru-cache";
import type { Outgoing } from "../providers/outgoing.ts";
import { type Breaker, openBreaker } from "./breaker.ts";

export interface Breakers {
  /** while it is open nothing of the queue is taken */
  whole: Breaker;
  /** of one push service; undefined: it is under `whole` alone */
  own(outgoing: Outgoing): OwnBreaker | undefined;
}

export interface OwnBreaker extends Breaker {
  /** of the push service */
  origin: string;
}

const originsMax = 1_000;

export function openBreakers(now?: () => number): Breakers {
  const origins = new LRUCache<string, OwnBreaker>({ max: originsMax });
  return {
    whole: openBreaker(now),
    own(outgoing) {
      if (outgoing.provider !== "webpush") return undefined;
      const { origin } = new URL(outgoing.endpoint);
      const breaker = origins.get(origin) ?? { origin, ...openBreaker(now) };
      origins.set(origin, breaker);
      return breaker;
    },
  };
}
