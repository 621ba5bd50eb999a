// Tells presence that who may know of a user's presence changed.
import { type ContactsChanged, subjects } from "@parley/protocol";
import { type NatsConnection, natsConnected } from "@parley/runtime";

/** Best effort: presence asks again after a while. */
export function tellContactsChanged(nats: NatsConnection, changed: ContactsChanged): void {
  if (natsConnected(nats)) nats.publish(subjects.contactsChanged, JSON.stringify(changed));
}
