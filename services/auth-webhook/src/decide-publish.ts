// Decides who may publish what: a device its own uplink, Parley's services anything of Parley's.
import {
  isNativeTopic,
  isOwnUplink,
  isUid,
  parseMountpoint,
  servicesUsername,
  treeUser,
  uidOfClientId,
} from "@parley/protocol";

/** Who asks, as the connect decision let it in. */
export interface Identity {
  username: string | undefined;
  clientId: string;
  /** what the broker puts before its topics: its own tree; absent or empty: nothing */
  mountpoint?: string | undefined;
}

export interface Publication {
  topic: string;
  retain: boolean;
}

/** `strip_retain`: may be published, but not retained. */
export type PublishDecision = "allow" | "strip_retain" | "deny";

/** The uid behind a native device, or undefined for whoever is none. */
export function nativeUid({ username, clientId }: Identity): string | undefined {
  if (username === undefined || username === servicesUsername || !isUid(username)) return undefined;
  return uidOfClientId(clientId) === username ? username : undefined;
}

/** Is it in its own tree? Nothing that it says there reaches anybody but its router. */
export function isInTree({ username, clientId, mountpoint }: Identity): boolean {
  const tree = mountpoint ? parseMountpoint(mountpoint) : undefined;
  return tree?.clientId === clientId && treeUser(tree) === username;
}

export function decidePublish(who: Identity, { topic, retain }: Publication): PublishDecision {
  if (who.username === servicesUsername) return isNativeTopic(topic) ? "allow" : "deny";
  if (who.mountpoint) return isInTree(who) ? (retain ? "strip_retain" : "allow") : "deny";
  const uid = nativeUid(who);
  if (uid === undefined || !isOwnUplink(topic, { uid, clientId: who.clientId })) return "deny";
  return retain ? "strip_retain" : "allow";
}
