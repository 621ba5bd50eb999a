// Packets that cannot be stored, kept aside in JetStream for people to look at.
import { jetstream } from "@nats-io/jetstream";
import { type AppError, deadSubject } from "@parley/protocol";
import type { Logger, NatsConnection, ReceivedPacket } from "@parley/runtime";

export type DeadLetter = (packet: ReceivedPacket, error: AppError) => Promise<void>;

/** Publishes topic, reason and payload to `dead.router`. Never rejects: the sender is told in any case. */
export function createDeadLetter(nats: NatsConnection, log: Logger): DeadLetter {
  const stream = jetstream(nats);
  return async ({ topic, payload }, { code, message }) => {
    const letter = { topic, code, message, at: Date.now(), payload: payload.toString("base64") };
    log.error({ event: "dead_letter", topic, code, reason: message });
    try {
      await stream.publish(deadSubject("router"), JSON.stringify(letter), { timeout: 3_000 });
    } catch (error) {
      log.error({ event: "dead_letter_lost", topic, reason: String(error) });
    }
  };
}
