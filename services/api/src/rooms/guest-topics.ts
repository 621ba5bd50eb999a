// Which rooms are topics of guests: their ids are nobody's to take.
import { isUnderPrefix, topicOfRoom } from "@parley/protocol";

/** May some guest, or an account in a guest's protocol, use the topic that the id spells? */
export function isGuestTopic(id: string, prefixes: readonly string[]): boolean {
  const topic = topicOfRoom(id);
  return topic !== undefined && prefixes.some((prefix) => isUnderPrefix(topic, prefix));
}

/** The same, but for guests who may use any topic: then no id would be left. */
export function isReservedTopic(id: string, prefixes: readonly string[]): boolean {
  return isGuestTopic(
    id,
    prefixes.filter((prefix) => prefix !== ""),
  );
}
