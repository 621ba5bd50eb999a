// What a native device may publish and subscribe: its own uplink, and its three topics.
import { parseDownlinkTopic, type UplinkVerb, uplinkVerbs } from "./topics.ts";

/** Whose topics: of a native device its user, and the device itself. */
export interface OwnTopics {
  uid: string;
  clientId: string;
}

const partitionAt = "im/up/".length;
const uidAt = partitionAt + 2;

/**
 * May the device publish there: `im/up/{p}/{uid}/{clientId}/{verb}`? Any `p` will do here: the router nacks a wrong one and names the
 * right topic. Asked of every publish, so nothing is taken apart.
 */
export function isOwnUplink(topic: string, { uid, clientId }: OwnTopics): boolean {
  const clientIdAt = uidAt + uid.length + 1;
  const verbAt = clientIdAt + clientId.length + 1;
  return (
    topic.startsWith("im/up/") &&
    /^[0-9a-f]$/.test(topic.charAt(partitionAt)) &&
    topic[uidAt - 1] === "/" &&
    topic.startsWith(uid, uidAt) &&
    topic[clientIdAt - 1] === "/" &&
    topic.startsWith(clientId, clientIdAt) &&
    topic[verbAt - 1] === "/" &&
    uplinkVerbs.includes(topic.slice(verbAt) as UplinkVerb)
  );
}

/** May the device subscribe it? Shared subscriptions and wildcards are no device's own topic. */
export function isOwnInbox(filter: string, { uid, clientId }: OwnTopics): boolean {
  const topic = parseDownlinkTopic(filter);
  return topic?.uid === uid && (topic.channel !== "d" || topic.clientId === clientId);
}
