// Which topics are of the chatroom, and whose.
import { isUnderPrefix, topicOfRoom } from "../../guest-topics.ts";
import type { Tree } from "../../trees.ts";

/** A topic or filter below what some guest has for itself. */
export function isOfGuests(topicOrFilter: string, guestPrefixes: readonly string[]): boolean {
  const topic = topicOrFilter.replace(/^\$share\/[^/]+\//, "").replace(/[+#]/g, "x");
  return guestPrefixes.some((prefix) => prefix !== "" && isUnderPrefix(topic, prefix));
}

/** A guest those below its prefix; a user any that is no topic of another protocol: the room says what it may. */
export function mayUse(topic: string, { owner, prefix }: Pick<Tree, "owner" | "prefix">): boolean {
  if (owner === "user") return isUnderPrefix(topic, "");
  return owner === "guest" && prefix !== undefined && isUnderPrefix(topic, prefix);
}

/** Where the device hears what is said to it alone: there, else where it may hear anything; undefined: nowhere. */
export function topicForWords(tree: Tree, hears: (topic: string) => boolean, there?: string): string | undefined {
  const topics = there === undefined ? tree.filters : [there, ...tree.filters];
  return topics.find((one) => mayUse(one, tree) && hears(one));
}

/** Where devices hear a conversation; undefined: nowhere. */
export function topicOf(conv: string): string | undefined {
  return conv.startsWith("room/") ? topicOfRoom(conv.slice("room/".length)) : undefined;
}
