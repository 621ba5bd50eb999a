// What direct copies of all devices have in common: those of one turn leave together, and each is looked at until it is confirmed.
import type { DirectDevice } from "./direct-device.ts";

interface Gathering {
  /** Writes what was gathered. */
  flush(): void;
}

export interface DirectTurns {
  /** Runs `work`; what it has for one device leaves in one write behind it. */
  together(work: () => void): void;
  /** True while `together` runs: the device's `flush` follows. */
  gathers(device: Gathering): boolean;
  /** It has copies that are not confirmed. */
  waits(device: DirectDevice): void;
  close(): void;
}

const lookMs = 250;

export function startDirectTurns(): DirectTurns {
  const waiting = new Set<DirectDevice>();
  const gathered = new Set<Gathering>();
  let isTogether = false;
  const looking = setInterval(() => {
    const now = performance.now();
    for (const device of waiting) {
      device.look(now);
      if (device.size === 0) waiting.delete(device);
    }
  }, lookMs).unref();
  return {
    together(work) {
      isTogether = true;
      try {
        work();
      } finally {
        isTogether = false;
        for (const device of gathered) device.flush();
        gathered.clear();
      }
    },
    gathers(device) {
      if (isTogether) gathered.add(device);
      return isTogether;
    },
    waits: (device) => void waiting.add(device),
    close: () => clearInterval(looking),
  };
}
