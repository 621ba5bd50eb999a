// Tells a user's devices that an entry of its roster changed.
import { type Contact, type NotifyRequest, subjects } from "@parley/protocol";
import { type NatsConnection, natsConnected } from "@parley/runtime";

/** Best effort: a device that misses it finds the change by `since`. */
export function tellRosterChanged(nats: NatsConnection, uid: string, contact: Contact): void {
  const request: NotifyRequest = { uids: [uid], channel: "m", packet: { type: "roster.changed", contact } };
  if (natsConnected(nats)) nats.publish(subjects.notify, JSON.stringify(request));
}
