// Messages that no MQTT packet carried, delivered from STORED by whichever router takes them.
import { type StoredEntry, streams } from "@parley/protocol";
import { followStored, type Logger, type NatsConnection } from "@parley/runtime";
import type { StoredMessage } from "../deliver/deliver.ts";
import { storedMessage } from "../deliver/read-stored.ts";

export interface OriginParts {
  nats: NatsConnection;
  deliver(message: StoredMessage): Promise<void>;
  log: Logger;
}

/** Follows until closed. A reference is done when its message is delivered. */
export function followOrigin({ nats, deliver, log }: OriginParts): { close(): Promise<void> } {
  return followStored({
    nats,
    durable: "router",
    filter: streams.stored.originFilter,
    wants: ({ origin }) => origin !== undefined,
    take: (entries) => deliverAll(entries, deliver),
    log,
  });
}

/** Each takes its place in its conversation's line at once. All have ended when this does, well or not. */
async function deliverAll(entries: readonly StoredEntry[], deliver: OriginParts["deliver"]): Promise<void> {
  const outcomes = await Promise.allSettled(entries.map((entry) => deliver(storedMessage(entry))));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}
