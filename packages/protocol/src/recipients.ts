// Who is to get a packet, and the native topics it is published on so that they do: one a user, one a device.
import { uidOfClientId } from "./ids.ts";
import { deviceTopic, ephemeralTopic, messagesTopic } from "./topics.ts";

export interface Device {
  uid: string;
  clientId: string;
}

/** Of several receivers of one packet, by devices where they are given. */
export interface Receiver {
  uid: string;
  /** these devices alone; absent: all */
  devices?: readonly string[] | undefined;
}

/** All of them together; `more`: what the recipients say besides. */
export function recipientsOfAll(receivers: Iterable<Receiver>, more: Pick<Recipients, "open"> = {}): Recipients {
  const users: string[] = [];
  const found: Device[] = [];
  for (const { uid, devices } of receivers) {
    if (devices === undefined) users.push(uid);
    else for (const clientId of devices) found.push({ uid, clientId });
  }
  return { users, devices: found, ...more };
}

/** The same, as a `NotifyRequest` has them. */
export function notifiedOf(receivers: Iterable<Receiver>): { uids: readonly string[]; devices?: readonly Device[] } {
  const { users, devices } = recipientsOfAll(receivers);
  return { uids: users, ...(devices.length > 0 && { devices }) };
}

/** Routers speak of people and devices; of topics only this file and the dialects. */
export interface Recipients {
  /** all devices of these users */
  users: readonly string[];
  /** these devices alone */
  devices: readonly Device[];
  /** the conversation, where it is a topic of guests: all devices with trees that hear that topic */
  open?: string;
}

/** `kept`: what a device that is away shall have later, QoS 1. `moment`: typing, presence, QoS 0. */
export type Channel = "kept" | "moment";

// A room's list is asked for again with each of its messages; shorter ones are quicker made than looked up.
const rememberedFrom = 8;
const remembered = { kept: new WeakMap<Recipients, string[]>(), moment: new WeakMap<Recipients, string[]>() };

/** On which topics native devices of the recipients hear a packet. */
export function topicsOf(to: Recipients, channel: Channel): readonly string[] {
  if (to.users.length < rememberedFrom) return makeTopics(to, channel);
  let topics = remembered[channel].get(to);
  if (!topics) {
    topics = makeTopics(to, channel);
    remembered[channel].set(to, topics);
  }
  return topics;
}

function makeTopics({ users, devices }: Recipients, channel: Channel): string[] {
  const topics = users.map(channel === "kept" ? messagesTopic : ephemeralTopic);
  // Others have trees; what is in their client ids may be no part of a topic.
  for (const { uid, clientId } of devices)
    if (uidOfClientId(clientId) !== undefined) topics.push(deviceTopic(uid, clientId));
  return topics;
}
