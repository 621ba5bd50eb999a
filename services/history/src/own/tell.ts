// How a user's devices are told what it keeps for itself: through whichever router takes it.
import { type NotifyRequest, notifiedOf, subjects } from "@parley/protocol";
import { type NatsConnection, natsConnected } from "@parley/runtime";
import type { Owning } from "./own.ts";

export function createTell(nats: NatsConnection): Owning["tell"] {
  return (to, packet) => {
    const request: NotifyRequest = { ...notifiedOf([to]), channel: "m", packet };
    if (natsConnected(nats)) nats.publish(subjects.notify, JSON.stringify(request));
  };
}
