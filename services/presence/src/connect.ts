// Answers the connect decision's question: may this device connect? If so its session begins, before the CONNACK.
import {
  AppError,
  type ConnectedReply,
  type ConnectedRequest,
  type ConnectReply,
  type ConnectRequest,
  isAnyClientId,
  isUid,
} from "@parley/protocol";
import { within } from "@parley/runtime";
import { addressClass } from "./address-class.ts";
import type { Devices } from "./devices.ts";
import type { Begin } from "./sessions/begin.ts";
import type { SessionChange } from "./sessions/change.ts";
import type { Sessions } from "./sessions/sessions.ts";

export interface ConnectParts {
  devices: Devices;
  begin: Begin;
  /** The device is about to be connected. */
  greet(uid: string, clientId: string): void;
}

/** The decision waits 200 ms; a store or Redis that is slow gets half of it, and the session is written when it can be. */
const writeMs = 100;

export async function connectDevice(request: ConnectRequest, parts: ConnectParts): Promise<ConnectReply> {
  const { uid, clientId, at, issuedAt, passwordSince, family, expiresAt, connection } = request;
  if (typeof uid !== "string" || !isUid(uid) || !canBeClientId(clientId) || !Number.isFinite(at))
    throw new AppError("invalid_packet", "a connect names uid, clientId and at");
  if (!(await parts.devices.claim(clientId, uid, addressClass(request.address))))
    return { ok: false, reason: "owned_by_another" };
  const begin: SessionChange = { op: "connect", uid, clientId, at };
  if (issuedAt !== undefined) begin.issuedAt = issuedAt;
  if (passwordSince !== undefined) begin.passwordSince = passwordSince;
  if (family !== undefined) begin.family = family;
  if (expiresAt !== undefined) begin.expiresAt = expiresAt;
  if (typeof connection === "string") begin.connection = connection;
  await within(writeMs, parts.begin(begin));
  parts.greet(uid, clientId);
  return { ok: true };
}

function canBeClientId(clientId: unknown): boolean {
  return typeof clientId === "string" && isAnyClientId(clientId);
}

/**
 * Is a connection of that client id known, another one than the named? One whose name is not known may be the named one:
 * a device that is told of another by mistake stays away.
 */
export async function isConnected(
  { clientId, connection }: ConnectedRequest,
  { devices, sessions }: { devices: Devices; sessions: Pick<Sessions, "of"> },
): Promise<ConnectedReply> {
  if (!canBeClientId(clientId)) throw new AppError("invalid_packet", "the request names no clientId");
  const uid = await devices.ownerOf(clientId);
  if (uid === undefined) return { connected: false };
  const session = await sessions.of(uid, clientId).catch((cause: unknown) => {
    throw new AppError("unavailable", "Redis does not answer", { cause });
  });
  if (session === undefined || typeof connection !== "string") return { connected: session !== undefined };
  return { connected: session.connection !== undefined && session.connection !== connection };
}
