// What other services keep of a user who is erased: presence, push, the search index; and their disks.
import { type RemoveRequest, subjects } from "@parley/protocol";
import { type NatsConnection, requestCompact, requestJson } from "@parley/runtime";

const timeoutMs = 30_000;
const services = ["history", "search", "presence", "push"];

export interface EraseOthers {
  /** Its devices are disconnected, and forgotten. */
  devices(uid: string): Promise<void>;
  /** What its devices registered to be notified by, and its settings of notifications. */
  push(uid: string): Promise<void>;
  unsearch(conv: string, seqs: readonly number[]): Promise<void>;
  /** Nothing that was removed is on the disk of any service any more. Every page of search's index is written anew. */
  compact(): Promise<void>;
  /** What waits for a disk fails now as `unavailable`. */
  close(): void;
}

export function connectOthers(nats: NatsConnection): EraseOthers {
  let closed = false;
  return {
    devices: async (uid) => void (await requestJson(nats, subjects.eraseDevices, { uid }, { timeoutMs })),
    push: async (uid) => void (await requestJson(nats, subjects.erasePush, { uid }, { timeoutMs })),
    async unsearch(conv, seqs) {
      const request: RemoveRequest = { conv, seqs: [...seqs], later: true };
      await requestJson(nats, subjects.removeFromSearch, request, { timeoutMs });
    },
    async compact() {
      await Promise.all(services.map((service) => requestCompact(nats, service, () => !closed)));
    },
    close() {
      closed = true;
    },
  };
}
