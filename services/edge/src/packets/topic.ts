// What may be a topic name and a topic filter [MQTT-4.7]. That they are UTF-8 without U+0000 is checked where they are read.

/** What Mosquitto closes a connection for: control characters, and what no text has. */
export const unwanted = /[\p{Cc}\p{NChar}]/u;

/** No wildcard, not empty [MQTT-4.7.1-1] [MQTT-4.7.3-1]. */
export function isTopicName(topic: string): boolean {
  return topic !== "" && !topic.includes("+") && !topic.includes("#") && !topic.includes("\0");
}

/** Not empty, wildcards as whole levels, `#` only as the last one [MQTT-4.7.1-2] [MQTT-4.7.1-3], all of it text that a broker takes. */
export function isTopicFilter(filter: string): boolean {
  if (unwanted.test(filter)) return false;
  if (!filter.includes("#") && !filter.includes("+")) return filter !== "";
  const levels = filter.split("/");
  return levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}

/** Mosquitto takes no more, and closes. */
export const levelsMax = 200;

/** Nobody can have subscribed any other: shared subscriptions are refused. */
export function mayBeSubscribed(filter: string): boolean {
  if (!isTopicFilter(filter) || isShared(filter)) return false;
  return filter.length < levelsMax || filter.split("/").length <= levelsMax;
}

export function isShared(filter: string): boolean {
  return filter.startsWith("$share/") || filter === "$share";
}
