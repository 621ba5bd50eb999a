// A wall clock that is an hour wrong for a while, and a disk that is full for a while.
import { setTimeout as sleep } from "node:timers/promises";
import type { SmallDisk } from "@parley/testkit";
import { type Fault, nameOf, whichOf } from "./fault.ts";
import type { services } from "./processes.ts";

const hourMs = 3_600_000;

/** One replica's clock steps an hour forward or back while it runs, and later to the right time again. */
export const clockWrong = (service: (typeof services)[number], { forMs = 8_000, hours = [1, -1] } = {}): Fault => ({
  name: `clock ± 1 h ${service}`,
  breaksBroker: false,
  skewsClocks: true,
  async inject(cluster, random) {
    const which = whichOf(cluster, service, random);
    const by = random.pick(hours);
    cluster.setClock(service, by * hourMs, which);
    await sleep(forMs);
    cluster.setClock(service, 0, which);
    // It is read once a second.
    await sleep(1_100);
    return `${nameOf(service, which)} ${by > 0 ? "+" : ""}${by} h`;
  },
});

/** Nothing can be written to the service's store. */
export const diskFull = (service: string, disk: SmallDisk): Fault => ({
  name: `disk full ${service}`,
  breaksBroker: false,
  async inject(_, random) {
    disk.fill();
    await sleep(2_000 + random.below(5_000));
    disk.empty();
    return undefined;
  },
});
