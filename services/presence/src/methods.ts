// The methods that presence owns: a user's devices (packages/protocol/src/methods/devices.ts).
import {
  AppError,
  type DeviceRow,
  devicesList,
  devicesRemove,
  devicesRemoveOthers,
  devicesUpdate,
  type LoginsReply,
  subjects,
} from "@parley/protocol";
import { available, handle, type MethodHandler, type NatsConnection, requestJson } from "@parley/runtime";
import type { BrokerClients } from "./brokers/broker.ts";
import type { DeviceDoc, Devices } from "./devices.ts";
import type { Sessions } from "./sessions/sessions.ts";
import type { KeptCursors } from "./trees/cursors.ts";

export interface MethodParts {
  nats: NatsConnection;
  devices: Devices;
  sessions: Sessions;
  broker: BrokerClients | undefined;
  cursors: Pick<KeptCursors, "removeDevice">;
}

const loginsMs = 5_000;
/** The kind of what logged in and never connected, unless it says another. */
const neverConnected = "http";
const removedAtOnce = 8;
/** Lists that are gone through: a device that comes back again and again is removed as often, and then listed. */
const roundsMax = 10;

export function deviceMethods(parts: MethodParts): MethodHandler[] {
  const { devices, sessions } = parts;
  const list = handle(devicesList, (_, { uid }) => available(async () => ({ devices: await ofUser(parts, uid) })));
  const update = handle(devicesUpdate, ({ clientId, ...said }, { uid }) =>
    available(async () => {
      const name = said.name === undefined ? {} : { name: said.name.normalize("NFC") };
      const kind = said.kind === undefined ? {} : { kind: said.kind };
      const change = () => devices.update(clientId, uid, { ...name, ...kind });
      const doc = (await change()) ?? ((await keepLogin(parts, uid, clientId)) ? await change() : undefined);
      return doc ? deviceOf(doc, (await sessions.of(uid, clientId)) !== undefined) : noDevice();
    }),
  );
  const remove = handle(devicesRemove, ({ clientId }, { uid }, { again }) =>
    available(async () => {
      const mine = (await ofUser(parts, uid)).some((device) => device.clientId === clientId);
      if (!mine) return again ? {} : noDevice();
      await removeDevice(parts, uid, clientId);
      return {};
    }),
  );
  const removeOthers = handle(devicesRemoveOthers, (_, { uid, clientId }) =>
    available(async () => ({ removed: await removeAllBut(parts, uid, clientId) })),
  );
  return [list, update, remove, removeOthers];
}

// Another replica keeps a new device a moment after it connected; its session is known to all before that. What logged in
// and never connected is known to api alone.
async function ofUser({ nats, devices, sessions }: MethodParts, uid: string): Promise<DeviceRow[]> {
  const [kept, connected, logins] = await Promise.all([devices.ofUser(uid), sessions.ofUser(uid), loginsOf(nats, uid)]);
  const loggedInAt = new Map(logins.map(({ clientId, at }) => [clientId, at]));
  // A device that uses HTTP only is seen by its logins and refreshes.
  const seen = (doc: DeviceDoc): DeviceDoc => {
    const lastSeen = Math.max(doc.lastSeen ?? 0, loggedInAt.get(doc.clientId) ?? 0) || null;
    return { ...doc, lastSeen };
  };
  const listed = kept.map((doc) => deviceOf(seen(doc), connected.delete(doc.clientId)));
  for (const [clientId, { at }] of connected)
    listed.push(deviceOf({ clientId, uid, createdAt: at, lastSeen: null }, true));
  const known = new Set(listed.map(({ clientId }) => clientId));
  for (const { clientId, at } of logins)
    if (!known.has(clientId))
      listed.push(deviceOf({ clientId, uid, createdAt: at, lastSeen: at, kind: neverConnected }, false));
  return listed;
}

async function loginsOf(nats: NatsConnection, uid: string): Promise<LoginsReply["logins"]> {
  const { logins } = await requestJson<LoginsReply>(nats, subjects.logins, { uid }, { timeoutMs: loginsMs });
  return logins;
}

/** From now on it is a device of which something is kept. false: the user is not logged in as it. */
async function keepLogin({ nats, devices }: MethodParts, uid: string, clientId: string): Promise<boolean> {
  const login = (await loginsOf(nats, uid)).find((one) => one.clientId === clientId);
  if (login) devices.note(clientId, { uid, kind: neverConnected, createdAt: login.at });
  return login !== undefined;
}

function deviceOf(doc: DeviceDoc, online: boolean): DeviceRow {
  const { clientId, uid, createdAt, lastSeen, kind = "mqtt", dialect, address = null } = doc;
  const own = clientId.startsWith(`${uid}:`) ? clientId.slice(uid.length + 1) : clientId;
  const row = { clientId, name: doc.name ?? own, kind, address, online, lastSeen, createdAt };
  return dialect === undefined ? row : { ...row, dialect };
}

/** When this resolves its tokens are good for nothing and its connection has ended, whatever clock told of its begin. */
async function removeDevice(parts: MethodParts, uid: string, clientId: string): Promise<void> {
  const { nats, devices, sessions, broker, cursors } = parts;
  await requestJson(nats, subjects.revokeDevice, { uid, clientId }, { timeoutMs: 5000 });
  const session = await sessions.of(uid, clientId);
  await broker?.disconnect(clientId);
  if (session) await sessions.change({ op: "drop", uid, clientId, at: session.at });
  await devices.remove(clientId, uid);
  await cursors.removeDevice(clientId);
}

async function removeAllBut(parts: MethodParts, uid: string, kept: string | undefined): Promise<string[]> {
  const removed = new Set<string>();
  for (let round = 0; round < roundsMax; round++) {
    const others = (await ofUser(parts, uid)).map(({ clientId }) => clientId).filter((clientId) => clientId !== kept);
    if (others.length === 0) break;
    for (let from = 0; from < others.length; from += removedAtOnce)
      await Promise.all(others.slice(from, from + removedAtOnce).map((one) => removeDevice(parts, uid, one)));
    for (const one of others) removed.add(one);
  }
  return [...removed];
}

function noDevice(): AppError {
  return new AppError("not_found", "no such device");
}
