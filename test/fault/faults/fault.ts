// A bad thing that happens to a cluster: its name, what it does, how long it lasts.
import type { Cluster, Part } from "@parley/testkit";
import type { Random } from "../seeded.ts";

export interface Fault {
  name: string;
  /** the broker forgets what it had not saved: sessions, queues, packets nobody confirmed */
  breaksBroker: boolean;
  /** a wall clock is wrong for a while */
  skewsClocks?: boolean;
  /**
   * Resolves when it is over: the process is gone or goes on, the link passes, the clock is right. Answers to whom
   * exactly it happened, if the name leaves that open.
   */
  inject(cluster: Cluster, random: Random): Promise<string | undefined>;
}

/** Two at the same moment. */
export function both(one: Fault, other: Fault): Fault {
  return {
    name: `${one.name} and ${other.name}`,
    breaksBroker: one.breaksBroker || other.breaksBroker,
    skewsClocks: one.skewsClocks || other.skewsClocks || false,
    async inject(cluster, random) {
      const all = await Promise.all([
        one.inject(cluster, random.fork("one")),
        other.inject(cluster, random.fork("other")),
      ]);
      return all.filter((what) => what !== undefined).join(", ") || undefined;
    },
  };
}

/** One of a part's replicas. */
export function whichOf(cluster: Cluster, part: Part, random: Random): { index: number } {
  return { index: random.below(replicasOf(cluster, part)) };
}

export function replicasOf(cluster: Cluster, part: Part): number {
  return Object.entries(cluster.wiring.replicas).find(([name]) => name === part)?.[1].length ?? 1;
}

export function nameOf(part: Part, { index }: { index: number }): string {
  return `${part}-${index + 1}`;
}
