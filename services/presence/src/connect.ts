// Answers the connect decision's question: may this device connect? If so its session begins, before the CONNACK.
import {
  AppError,
  type ConnectedReply,
  type ConnectedRequest,
  type ConnectingTree,
  type ConnectReplies,
  type ConnectReply,
  type ConnectRequest,
  isAnyClientId,
  isUid,
  subjects,
  treeUser,
} from "@parley/protocol";
import { type Logger, within } from "@parley/runtime";
import { addressClass } from "./address-class.ts";
import type { DeviceDoc, Devices } from "./devices.ts";
import type { Begin } from "./sessions/begin.ts";
import type { PlantedTree, SessionChange } from "./sessions/change.ts";
import type { Sessions } from "./sessions/sessions.ts";
import type { TreeAccounts } from "./trees/accounts.ts";
import { type LiveTrees, plantedTree, userOf } from "./trees/live.ts";

export interface ConnectParts {
  devices: Devices;
  begin: Begin;
  accounts: Pick<TreeAccounts, "of">;
  live: Pick<LiveTrees, "now">;
  /** The device is about to be connected; one with a tree is greeted when it hears. */
  greet(uid: string, clientId: string): void;
}

/**
 * The decision waits 200 ms, and a second for a device with a tree; a store or Redis that is slow gets half of it, and the session is
 * written when it can be.
 */
const writeMs = 100;
const treeWriteMs = 500;

export type ConnectAsked = ConnectRequest | readonly ConnectRequest[];

/** Of a list each is decided by itself, and what is wrong with one is told of that one. */
export async function connectDevices(
  asked: ConnectAsked,
  parts: ConnectParts & { log: Logger },
): Promise<ConnectReply | ConnectReplies> {
  if (!isList(asked)) return connectDevice(asked, parts);
  return Promise.all(asked.map((request) => connectDevice(request, parts).catch((error) => refuse(error, parts))));
}

function isList(asked: ConnectAsked): asked is readonly ConnectRequest[] {
  return Array.isArray(asked);
}

function refuse(thrown: unknown, { log }: { log: Logger }): ConnectReplies[number] {
  const error = AppError.from(thrown);
  if (error.code !== "internal") return { error: error.toWire() };
  log.error({ event: "request_failed", subject: subjects.connectDevice, err: error.cause ?? error });
  return { error: new AppError("internal").toWire() };
}

async function connectDevice(request: ConnectRequest, parts: ConnectParts): Promise<ConnectReply> {
  const { uid, clientId, at, issuedAt, passwordSince, family, expiresAt, connection, tree } = request;
  const isOwner = typeof uid === "string" && (tree?.owner === "anonymous" ? uid === "" : isUid(uid));
  if (!isOwner || !canBeClientId(clientId) || !Number.isFinite(at))
    throw new AppError("invalid_packet", "a connect names uid, clientId and at");
  const planted = tree ? await plant(request, tree, parts) : undefined;
  if (typeof planted === "string") return { ok: false, reason: planted };
  if (!tree && !(await parts.devices.claim(clientId, uid, addressClass(request.address))))
    return { ok: false, reason: "owned_by_another" };
  const user = tree ? treeUser({ owner: tree.owner, uid }) : uid;
  const begin: SessionChange = { op: "connect", uid: user, clientId, at };
  if (issuedAt !== undefined) begin.issuedAt = issuedAt;
  if (passwordSince !== undefined) begin.passwordSince = passwordSince;
  if (family !== undefined) begin.family = family;
  if (expiresAt !== undefined) begin.expiresAt = expiresAt;
  if (typeof connection === "string") begin.connection = connection;
  if (planted) begin.tree = planted;
  await within(planted ? treeWriteMs : writeMs, parts.begin(begin));
  if (!tree) parts.greet(uid, clientId);
  return planted ? { ok: true, ...before(planted) } : { ok: true };
}

function before({ dialect, filters }: PlantedTree): { dialect?: string; filters?: string[] } {
  return { ...(dialect === undefined ? {} : { dialect }), ...(filters.length === 0 ? {} : { filters }) };
}

type Refusal = Extract<ConnectReply, { ok: false }>["reason"];

/** What is to be known of its tree, or why it gets none. */
async function plant(
  request: ConnectRequest,
  tree: ConnectingTree,
  { devices, accounts, live }: ConnectParts,
): Promise<PlantedTree | Refusal> {
  const { uid, clientId, at, protocol } = request;
  const asked = tree.owner === "user" ? accounts.of(uid, clientId) : [];
  const { owner: _, clean, assigned, ...rest } = tree;
  const isRemembered = tree.owner === "user" && !assigned;
  if (!isRemembered && !(await devices.isFree(clientId, assigned === true))) return "owned_by_another";
  const known = isRemembered ? await recall(request, tree, { devices, live }) : undefined;
  if (typeof known === "string") return known;
  const filters = clean === false ? (known?.session?.filters ?? []) : [];
  const dialect = tree.dialect ?? known?.dialect;
  const base = { ...rest, connectedAt: at, accounts: await asked, filters };
  const spoken = dialect === undefined ? {} : { dialect };
  return plantedTree({ ...base, ...spoken, ...(protocol === undefined ? {} : { protocol }) });
}

/** The device as it was known until now, undefined where it was not; or why it is not this user's. */
async function recall(
  { uid, clientId, address }: ConnectRequest,
  tree: ConnectingTree,
  { devices, live }: Pick<ConnectParts, "devices" | "live">,
): Promise<DeviceDoc | undefined | Refusal> {
  const known = await devices.known(clientId);
  if (tree.expired && !(known?.uid === uid && known.dialect === tree.dialect)) return "unknown_device";
  if (!(await devices.claim(clientId, uid, addressClass(address), tree.dialect))) return "owned_by_another";
  // Whatever is kept of it next is kept of a device that is known.
  if (!known) await devices.flush();
  // It begins anew, or ends with its connection: nobody goes on with what it had.
  const isOver = tree.clean || (tree.clean === false && !tree.persistent);
  const { session } = known ?? {};
  if (session && !session.isOver && isOver) await devices.endSession(clientId, await versionNow(live, session.version));
  return known;
}

/** Later than any version of its tree so far; while Redis is away, than the one that is kept. */
async function versionNow(live: Pick<LiveTrees, "now">, kept: number): Promise<number> {
  return Math.max(kept + 1, await live.now().catch(() => 0));
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
  { devices, live, sessions }: { devices: Devices; live: Pick<LiveTrees, "userOf">; sessions: Pick<Sessions, "of"> },
): Promise<ConnectedReply> {
  if (!canBeClientId(clientId)) throw new AppError("invalid_packet", "the request names no clientId");
  const session = await sessionOf(clientId, { devices, live, sessions }).catch((cause: unknown) => {
    throw new AppError("unavailable", "Redis does not answer", { cause });
  });
  if (session === undefined || typeof connection !== "string") return { connected: session !== undefined };
  return { connected: session.connection !== undefined && session.connection !== connection };
}

async function sessionOf(
  clientId: string,
  { devices, live, sessions }: { devices: Devices; live: Pick<LiveTrees, "userOf">; sessions: Pick<Sessions, "of"> },
) {
  const user = await userOf({ live, devices }, clientId);
  return user === undefined ? undefined : sessions.of(user, clientId);
}
