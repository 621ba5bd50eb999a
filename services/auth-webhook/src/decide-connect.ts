// Decides who may connect, as whom and for how long; the steps in order, each with the refusal it can end in.
import {
  type ConnectingTree,
  type ConnectRequest,
  isAnyClientId,
  reservedClientId,
  servicesUsername,
  treeMountpoint,
  treeUser,
} from "@parley/protocol";
import { dialectOf } from "@parley/protocol/dialects";
import { ingestPartition } from "@parley/protocol/partition";
import type { ConnectAttempt, ConnectRefusal, ConnectRules } from "./connect-rules.ts";
import { nativeUid } from "./decide-publish.ts";
import { isOwnAlone, type Proven, prove } from "./prove.ts";

/** Where the device lives: behind the broker all that it publishes and subscribes begins so. */
export interface TreeGrant {
  mountpoint: string;
  /** `#` is subscribed for it */
  subscribesAll: boolean;
  /** nothing of it is kept when it leaves */
  isEphemeral: boolean;
  /** what its session had subscribed before */
  filters?: string[] | undefined;
}

export type ConnectDecision =
  | {
      allow: true;
      /** of a tree its user, as `treeUser` writes it */
      uid: string;
      p: string;
      service: boolean;
      /** unix s */
      expiresAt: number | undefined;
      /** absent: it lives in the native topics */
      tree?: TreeGrant;
    }
  | { allow: false; reason: ConnectRefusal };

export async function decideConnect(attempt: ConnectAttempt, rules: ConnectRules): Promise<ConnectDecision> {
  const { clientId, username, address } = attempt;
  if (username === servicesUsername || reservedClientId.test(clientId)) return decideService(attempt, rules); // reserved
  if (!isAnyClientId(clientId)) return refuse("client_id");
  if ((attempt.sessionExpirySeconds ?? 0) > rules.sessionExpiryMaxSeconds) return refuse("session_expiry");
  if (rules.rates.tooOften(clientId, address)) return refuse("rate_limited");
  const at = Date.now();
  const proven = await prove(attempt, rules); // see prove.ts
  if (typeof proven === "string") return refuse(proven);
  const isNative = isNativeDevice(attempt, proven);
  const unfit = isNative ? undefined : unfitForTree(attempt, proven); // protocol client_id needs_tree
  if (unfit !== undefined) return refuse(unfit);
  // Only now: who has no valid credential for the device uses nothing of its rate up.
  rules.rates.connected(clientId, address);
  const isNeeded = !(isNative && proven.kind === "token" && isOwnAlone(clientId));
  const reply = await rules.register(connectRequest(attempt, at, proven, isNative), { isNeeded });
  if (reply === undefined && isNeeded) return refuse("unavailable");
  if (reply?.ok === false) return refuse(reply.reason); // owned_by_another blocked unknown_device
  const over = await overMeanwhile(proven, rules); // revoked_meanwhile password_changed unavailable
  if (over !== undefined) return refuse(over);
  const allowed = { allow: true, p: ingestPartition(clientId), service: false, expiresAt: proven.exp } as const;
  if (isNative) return { ...allowed, uid: proven.uid };
  const known = reply?.ok === true ? reply : undefined;
  const dialect = proven.dialect ?? dialectOf({ name: known?.dialect, table: rules.dialects });
  const tree = { ...treeOf(attempt, { ...proven, dialect }), filters: known?.filters };
  return { ...allowed, uid: treeUser(proven), tree };
}

/**
 * Parley's own topics and nothing else, without a tree: as its uid, its client id and its credential say. The uid alone as client
 * id, with a password, is also how other protocols connect: in a tree both work.
 */
function isNativeDevice(attempt: ConnectAttempt, { owner, uid, kind, isDialectToken }: Proven): boolean {
  const { username, clientId, hasTrees } = attempt;
  if (owner !== "user" || isDialectToken || nativeUid({ username, clientId }) !== uid) return false;
  return kind === "token" || isOwnAlone(clientId) || !hasTrees;
}

function unfitForTree(
  { clientId, username, protocol, hasTrees }: ConnectAttempt,
  { owner, uid, kind, dialect }: Proven,
): ConnectRefusal | undefined {
  const refused = dialect?.refuses?.({ uid, clientId, protocol }); // protocol client_id
  if (refused !== undefined) return refused;
  // A native device's token with the name of somebody else is no other protocol's either.
  const isMisnamed = owner === "user" && kind === "token" && dialect === undefined && (username ?? uid) !== uid;
  if (isMisnamed && isOwnAlone(clientId)) return "client_id";
  return hasTrees ? undefined : "needs_tree";
}

function treeOf({ clientId, assigned }: ConnectAttempt, { owner, uid, dialect }: Proven): TreeGrant {
  const mountpoint = treeMountpoint({ p: ingestPartition(clientId), owner, uid, clientId });
  return {
    mountpoint,
    subscribesAll: dialect?.subscribesAll ?? false,
    isEphemeral: owner !== "user" || assigned === true,
  };
}

/** Parley's own sessions: never a device, so presence is not asked. A `/`, `+` or `#` in the id would read other trees. */
function decideService({ clientId, username, password }: ConnectAttempt, rules: ConnectRules): ConnectDecision {
  if (username !== servicesUsername || !password || !rules.isServicesSecret(password)) return refuse("reserved");
  if (!/^[^/+#\0]{1,64}$/.test(clientId)) return refuse("client_id");
  return { allow: true, uid: servicesUsername, p: ingestPartition(clientId), service: true, expiresAt: undefined };
}

/**
 * A revocation ends the sessions that presence knows: one that was registered only afterwards ends here. A password is
 * asked for once more, as a token's revocation may be on its way when its change is made.
 */
async function overMeanwhile(
  { owner, uid, kind, proof }: Proven,
  { isRevoked, passwords }: ConnectRules,
): Promise<"revoked_meanwhile" | "password_changed" | "unavailable" | undefined> {
  if (owner !== "user") return undefined;
  if (isRevoked(uid, proof)) return "revoked_meanwhile";
  if (kind === "token" || proof.passwordSince === undefined) return undefined;
  const unchanged = await passwords?.unchanged({ username: uid, passwordSince: proof.passwordSince });
  if (unchanged === undefined) return "unavailable";
  return unchanged ? undefined : "password_changed";
}

function connectRequest(attempt: ConnectAttempt, at: number, proven: Proven, isNative: boolean): ConnectRequest {
  const { clientId, protocol, address, connection } = attempt;
  const { uid, kind, proof, exp } = proven;
  const request: ConnectRequest = { uid, clientId, credential: kind, at, address };
  if (protocol !== undefined) request.protocol = protocol;
  if (connection !== undefined) request.connection = connection;
  if (proof.passwordSince !== undefined) request.passwordSince = proof.passwordSince;
  if (proof.family !== undefined) request.family = proof.family;
  if (kind === "token") request.issuedAt = proof.issuedAt;
  if (exp !== undefined) request.expiresAt = exp;
  if (!isNative) request.tree = connectingTree(attempt, proven);
  return request;
}

function connectingTree(
  { username, persistent = false, clean, assigned }: ConnectAttempt,
  { owner, dialect, prefix, expired }: Proven,
): ConnectingTree {
  const isKept = owner === "user" && !assigned;
  const tree: ConnectingTree = { owner, persistent: persistent && isKept };
  if (clean !== undefined || !isKept) tree.clean = clean !== false || !isKept;
  if (dialect !== undefined) tree.dialect = dialect.name;
  if (username !== undefined) tree.username = username;
  if (prefix !== undefined) tree.prefix = prefix;
  if (assigned) tree.assigned = true;
  if (expired) tree.expired = true;
  return tree;
}

function refuse(reason: ConnectRefusal): ConnectDecision {
  return { allow: false, reason };
}
