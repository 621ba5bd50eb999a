// Tells presence that who may know of a user's presence changed.
import { type ContactsChanged, subjects } from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";

const patienceMs = 1_000;

/**
 * When this resolves nobody is told or shown anything by what was so before. A presence that does not answer knows it after a
 * while: it asks again. Never rejects.
 */
export async function tellContactsChanged(nats: NatsConnection, changed: ContactsChanged): Promise<void> {
  await requestJson(nats, subjects.contactsChanged, changed, { timeoutMs: patienceMs }).catch(() => undefined);
}
