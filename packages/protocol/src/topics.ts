// The MQTT topics of the native protocol, each a build/parse pair.

/** A topic or filter of the native tree, whoever's it is. */
export function isNativeTopic(topic: string): boolean {
  return topic.startsWith("im/");
}

/** Nobody subscribes it: a service publishes here to see whether the broker takes a publish. */
export const probeTopic = "im/probe";

/** What a device may publish: `im/up/{p}/{uid}/{clientId}/{verb}`. */
export const uplinkVerbs = ["msg", "receipt", "state", "typing", "rpc"] as const;
export type UplinkVerb = (typeof uplinkVerbs)[number];
export interface UplinkTopic {
  p: string;
  uid: string;
  clientId: string;
  verb: UplinkVerb;
}

/** `im/up/{p}/{uid}/{clientId}/{verb}` */
export function uplinkTopic({ p, uid, clientId, verb }: UplinkTopic): string {
  return `im/up/${p}/${uid}/${clientId}/${verb}`;
}

/** The parts of an uplink topic, or undefined for any other topic. Says nothing about who may use it. */
export function parseUplinkTopic(topic: string): UplinkTopic | undefined {
  // Asked of every packet that a router gets, whatever it is.
  if (!topic.startsWith("im/up/")) return undefined;
  const [, , p = "", uid = "", clientId = "", verb, ...rest] = topic.split("/");
  if (rest.length > 0 || !/^[0-9a-f]$/.test(p) || !uid || !clientId) return undefined;
  if (!uplinkVerbs.includes(verb as UplinkVerb)) return undefined;
  return { p, uid, clientId, verb: verb as UplinkVerb };
}

/** What the router of partition `p` subscribes: every uplink of its devices. */
export function uplinkFilter(p: string): string {
  return `im/up/${p}/#`;
}

/** All that one device may publish, as a broker's rule; whatever `p` it takes itself to be in. */
export function deviceUplinkFilter(uid: string, clientId: string): string {
  return `im/up/+/${uid}/${clientId}/+`;
}

/** `im/dn/{uid}/m`: messages, receipts and notices for all devices of a user, QoS 1. */
export function messagesTopic(uid: string): string {
  return `im/dn/${uid}/m`;
}

/** `im/dn/{uid}/e`: typing and presence, QoS 0. */
export function ephemeralTopic(uid: string): string {
  return `im/dn/${uid}/e`;
}

/** `im/dn/{uid}/d/{clientId}`: acks, nacks, answers and messages for one device. */
export function deviceTopic(uid: string, clientId: string): string {
  return `im/dn/${uid}/d/${clientId}`;
}

export type DownlinkTopic = { uid: string; channel: "m" | "e" } | { uid: string; channel: "d"; clientId: string };

/** The parts of a downlink topic, or undefined for any other topic. Wildcards are not parts. */
export function parseDownlinkTopic(topic: string): DownlinkTopic | undefined {
  const [im, dn, uid = "", channel, clientId, ...rest] = topic.split("/");
  if (im !== "im" || dn !== "dn" || !uid || rest.length > 0 || /[+#]/.test(topic)) return undefined;
  if ((channel === "m" || channel === "e") && clientId === undefined) return { uid, channel };
  if (channel === "d" && clientId) return { uid, channel, clientId };
  return undefined;
}

/** All that one device publishes and subscribes, as login answers it. */
export function deviceTopics(p: string, uid: string, clientId: string) {
  const publish = Object.fromEntries(
    uplinkVerbs.map((verb) => [verb, uplinkTopic({ p, uid, clientId, verb })]),
  ) as Record<UplinkVerb, string>;
  return { publish, subscribe: [messagesTopic(uid), ephemeralTopic(uid), deviceTopic(uid, clientId)] };
}

/** The MQTT client id of a router's session of its own, by which it knows that the broker takes its login. */
export function routerLoginId(instance: string): string {
  return `router-of-${instance}`;
}

/** The MQTT client id of the one persistent session that takes in partition `p`. */
export function routerClientId(p: string): string {
  return `router-p${p}`;
}
