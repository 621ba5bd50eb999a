// The methods that presence owns: a user's devices (packages/protocol/src/methods/devices.ts).
import { AppError, devicesList, devicesRemove, type ResultOf, subjects } from "@parley/protocol";
import { handle, type MethodHandler, type NatsConnection, requestJson } from "@parley/runtime";
import type { BrokerClients } from "./brokers/broker.ts";
import type { Devices } from "./devices.ts";
import { unavailable } from "./requests.ts";
import type { Sessions } from "./sessions.ts";

export interface MethodParts {
  nats: NatsConnection;
  devices: Devices;
  sessions: Sessions;
  broker: BrokerClients | undefined;
}

export function deviceMethods({ nats, devices, sessions, broker }: MethodParts): MethodHandler[] {
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
  const remove = handle(devicesRemove, ({ clientId }, caller, { again }) =>
    available(async () => {
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

async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(error);
  }
}
