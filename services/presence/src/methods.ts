// The methods that presence owns: a user's devices (packages/protocol/src/methods/devices.ts).
import { hash } from "node:crypto";
import { AppError, type Caller, devicesList, devicesRemove, type ResultOf, subjects } from "@parley/protocol";
import { handle, type MethodHandler, type NatsConnection, requestJson } from "@parley/runtime";
import type { Collection, Documents } from "@parley/store";
import type { BrokerClients } from "./broker-clients.ts";
import type { Devices } from "./devices.ts";
import type { Sessions } from "./sessions.ts";

export interface MethodParts {
  nats: NatsConnection;
  devices: Devices;
  sessions: Sessions;
  broker: BrokerClients | undefined;
  requests: Requests;
}

export function deviceMethods({ nats, devices, sessions, broker, requests }: MethodParts): MethodHandler[] {
  // Another replica keeps a new device a moment after it connected; its session is known to all before that.
  const ofUser = async (uid: string): Promise<ResultOf<typeof devicesList>["devices"]> => {
    const [kept, connected] = await Promise.all([devices.ofUser(uid), sessions.ofUser(uid)]);
    const listed = kept.map(({ clientId, createdAt, lastSeen }) => {
      return { clientId, online: connected.delete(clientId), lastSeen, createdAt };
    });
    for (const [clientId, { at }] of connected) listed.push({ clientId, online: true, lastSeen: null, createdAt: at });
    return listed;
  };
  const list = handle(devicesList, (_, { uid }) => available(async () => ({ devices: await ofUser(uid) })));
  const remove = handle(devicesRemove, ({ clientId }, caller) =>
    available(async () => {
      const again = await requests.seen(devicesRemove.name, caller);
      const mine = (await ofUser(caller.uid)).some((device) => device.clientId === clientId);
      if (!mine) return again ? {} : new AppError("not_found", "no such device");
      await requestJson(nats, subjects.revokeDevice, { uid: caller.uid, clientId }, { timeoutMs: 5000 });
      await broker?.disconnect(clientId);
      await sessions.change({ op: "end", uid: caller.uid, clientId, at: Date.now() });
      await devices.remove(clientId, caller.uid);
      return {};
    }),
  );
  return [list, remove];
}

/** What Redis or the store cannot do now is `unavailable`, not a bug. */
async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("unavailable", undefined, { cause: error });
  }
}

interface RequestDoc {
  at: number;
}

/** Requests that change something, for a day: sent again, they are known. */
export interface Requests {
  /** Notes the request; true when it was noted before. Always false without a request id. */
  seen(method: string, caller: Caller): Promise<boolean>;
  /** Forgets those older than a day. */
  prune(): Promise<void>;
}

const keepMs = 24 * 3_600_000;

export async function openRequests(documents: Documents): Promise<Requests> {
  const kept: Collection<RequestDoc> = await documents.collection({ name: "requests", indexes: { at: ["at"] } });
  return {
    async seen(method, { uid, clientId = "", requestId }) {
      if (requestId === undefined) return false;
      const key = hash("sha256", JSON.stringify([method, uid, clientId, requestId]), "base64url");
      return !(await kept.insert(key, { at: Date.now() }));
    },
    async prune() {
      const before = Date.now() - keepMs;
      for (;;) {
        const { items, next } = await kept.find({ index: "at", before, limit: 500 });
        for (const { key } of items) await kept.remove(key);
        if (next === null) return;
      }
    },
  };
}
