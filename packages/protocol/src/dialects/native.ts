// The native dialect: a topic a user and one a device, on which the broker copies a packet to whoever subscribes.
import { deviceTopic, ephemeralTopic, messagesTopic, parseUplinkTopic, uplinkFilter } from "../topics.ts";
import type { Channel, Dialect, Recipients } from "./dialect.ts";

// A room's list is asked for again with each of its messages; shorter ones are quicker made than looked up.
const rememberedFrom = 8;
const remembered = { kept: new WeakMap<Recipients, string[]>(), moment: new WeakMap<Recipients, string[]>() };

export const native: Dialect = {
  name: "native",
  uplinkFilter,
  parseUplink: parseUplinkTopic,
  render: (packet, to, channel) => [{ topics: topicsOf(to, channel), payload: packet }],
};

function topicsOf(to: Recipients, channel: Channel): string[] {
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
  for (const { uid, clientId } of devices) topics.push(deviceTopic(uid, clientId));
  return topics;
}
