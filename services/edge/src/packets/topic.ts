// What may be a topic name: no wildcard, no U+0000, not empty [MQTT-4.7.1-1] [MQTT-4.7.3-1].

export function isTopicName(topic: string): boolean {
  return topic !== "" && !topic.includes("+") && !topic.includes("#") && !topic.includes("\0");
}
