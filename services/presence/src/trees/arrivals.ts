// What a device with a tree needs of the broker when it is there, where no edge does it: `#` subscribed for it where its dialect
// is so, and what an earlier session of it has subscribed.
import { setTimeout as sleep } from "node:timers/promises";
import { type Tree, treeMountpoint } from "@parley/protocol";
import { dialectOf } from "@parley/protocol/dialects";
import type { Logger } from "@parley/runtime";
import type { BrokerClients } from "../brokers/broker.ts";
import type { LiveTrees } from "./live.ts";

export interface Arrivals {
  /** The device is there, or it is known now what it speaks. */
  arrived(clientId: string): void;
  close(): Promise<void>;
}

export interface ArrivalsParts {
  broker: BrokerClients | undefined;
  live: Pick<LiveTrees, "of" | "filter">;
  onChange(clientId: string): void;
  log: Logger;
}

const attemptsMax = 10;
const pauseMs = 1_000;
const devicesMax = 20_000;

export function openArrivals({ broker, live, onChange, log }: ArrivalsParts): Arrivals {
  const running = new Map<string, Promise<void>>();
  const ending = new AbortController();

  async function receive(clientId: string): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax && !ending.signal.aborted; attempt++) {
      try {
        const tree = await live.of(clientId);
        if (tree) await serve(tree);
        return;
      } catch (error) {
        log.warn({ event: "tree_not_subscribed", clientId: clientId.slice(0, 80), reason: String(error) });
        await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => undefined);
      }
    }
  }

  async function serve(tree: Tree): Promise<void> {
    const { clientId, dialect, persistent, filters, connection } = tree;
    if (dialectOf({ name: dialect ?? "" })?.subscribesAll) await broker?.subscribeAll?.(clientId);
    if (!persistent || !broker?.filtersOf) return;
    const added = await broker.filtersOf(clientId, treeMountpoint(tree));
    const removed = filters.filter((filter) => !added.includes(filter));
    await live.filter({ clientId, added, removed, ...(connection === undefined ? {} : { connection }) });
    onChange(clientId);
  }

  return {
    arrived(clientId) {
      if (!broker?.subscribeAll || running.size >= devicesMax) return;
      const before = running.get(clientId) ?? Promise.resolve();
      const work = before
        .then(() => receive(clientId))
        .finally(() => running.get(clientId) === work && running.delete(clientId));
      running.set(clientId, work);
    },
    async close() {
      ending.abort();
      await Promise.allSettled(running.values());
    },
  };
}
