// Which stored messages notify anybody.
import { type StoredReference, uncountedTypes } from "@parley/protocol";

/** content.type of a message that may ring, and of what happens in a room. */
export const callType = "call";
export const eventType = "event";

/** What counts as unread, and events, of which some ask users in. */
export function mayNotify({ type }: StoredReference): boolean {
  return type === eventType || !uncountedTypes.has(type);
}
