// Decides who may subscribe what: a device exactly its three topics, or anything in a tree of its own, Parley's services
// anything of Parley's.
import { isNativeTopic, parseDownlinkTopic } from "@parley/protocol";
import { type Identity, isInTree, nativeUid, servicesUsername } from "./decide-publish.ts";

/** May `who` subscribe this filter? Shared subscriptions and wildcards are no device's own topic. */
export function decideSubscribe(who: Identity, filter: string): boolean {
  if (who.username === servicesUsername) return isNativeTopic(filter);
  if (who.mountpoint) return isInTree(who);
  const uid = nativeUid(who);
  const topic = uid === undefined ? undefined : parseDownlinkTopic(filter);
  if (topic === undefined || topic.uid !== uid) return false;
  return topic.channel !== "d" || topic.clientId === who.clientId;
}
