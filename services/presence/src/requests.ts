// Requests that change something, each done once for its id: kept for a day in presence's store.
import { keepRequests, type Logger, type Once, type RequestDoc, requestIndexes } from "@parley/runtime";
import type { Collection, Documents } from "@parley/store";

export interface Requests {
  once: Once;
  requests: Collection<RequestDoc>;
  close(): void;
}

export async function openRequests(documents: Documents, log: Logger): Promise<Requests> {
  const requests = await documents.collection<RequestDoc>({ name: "requests", indexes: requestIndexes });
  return { ...keepRequests(requests, log), requests };
}
