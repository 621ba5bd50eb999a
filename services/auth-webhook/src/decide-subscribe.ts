// Decides who may subscribe what: a device exactly its three topics, or anything in a tree of its own, Parley's services
// anything of Parley's.
import { isNativeTopic, isOwnInbox, servicesUsername } from "@parley/protocol";
import { type Identity, isInTree, nativeUid } from "./decide-publish.ts";

/** May `who` subscribe this filter? */
export function decideSubscribe(who: Identity, filter: string): boolean {
  if (who.username === servicesUsername) return isNativeTopic(filter);
  if (who.mountpoint) return isInTree(who);
  const uid = nativeUid(who);
  return uid !== undefined && isOwnInbox(filter, { uid, clientId: who.clientId });
}
