// What other services keep of a user who is erased: presence, the search index; and their disks.
import { compactSubject, type RemoveRequest, subjects } from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";

const timeoutMs = 30_000;
/** Every page of the index is written anew. */
const compactMs = 10 * 60_000;

export interface EraseOthers {
  /** Its devices are disconnected, and forgotten. */
  devices(uid: string): Promise<void>;
  unsearch(conv: string, seqs: readonly number[]): Promise<void>;
  /** Nothing that was removed is on the disk of any service any more. */
  compact(): Promise<void>;
}

export function connectOthers(nats: NatsConnection): EraseOthers {
  return {
    devices: async (uid) => void (await requestJson(nats, subjects.eraseDevices, { uid }, { timeoutMs })),
    async unsearch(conv, seqs) {
      const request: RemoveRequest = { conv, seqs: [...seqs], later: true };
      await requestJson(nats, subjects.removeFromSearch, request, { timeoutMs });
    },
    async compact() {
      const services = ["history", "search", "presence"];
      await Promise.all(
        services.map((service) => requestJson(nats, compactSubject(service), {}, { timeoutMs: compactMs })),
      );
    },
  };
}
