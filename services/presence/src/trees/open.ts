// All that presence has of devices with trees, put together.
import type { Logger, NatsConnection, Redis } from "@parley/runtime";
import type { Documents } from "@parley/store";
import type { BrokerClients } from "../brokers/broker.ts";
import type { Devices } from "../devices.ts";
import { openAccounts, type TreeAccounts } from "./accounts.ts";
import { type Arrivals, openArrivals } from "./arrivals.ts";
import { type KeptCursors, openCursors } from "./cursors.ts";
import { type LiveTrees, openLiveTrees } from "./live.ts";
import { openTreeTelling, type TreeTelling, type TreeTellingParts } from "./telling.ts";

export interface Trees {
  live: LiveTrees;
  cursors: KeptCursors;
  telling: TreeTelling;
  accounts: TreeAccounts;
  arrivals: Arrivals;
  close(): Promise<void>;
}

export interface TreesParts extends Pick<TreeTellingParts, "greet"> {
  nats: NatsConnection;
  redis: Redis;
  documents: Documents;
  devices: Devices;
  broker: BrokerClients | undefined;
  log: Logger;
}

export async function openTrees({ nats, redis, documents, devices, broker, greet, log }: TreesParts): Promise<Trees> {
  const known = async (clientIds: readonly string[]) => new Set((await devices.manyKnown(clientIds)).keys());
  const cursors = await openCursors(documents, known);
  const live = openLiveTrees(redis);
  const telling = openTreeTelling({ nats, live, devices, greet, log });
  const onChange = telling.changed;
  const accounts = openAccounts({ nats, redis, live, onChange, log });
  const arrivals = openArrivals({ broker, live, onChange, log });
  return {
    live,
    cursors,
    telling,
    accounts,
    arrivals,
    async close() {
      await accounts.close();
      await arrivals.close();
      await telling.close();
    },
  };
}
