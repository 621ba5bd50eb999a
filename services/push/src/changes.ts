// What one replica changed, the others forget.
import { type PushChanged, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, onNatsBack, parseJson } from "@parley/runtime";

export interface Changes {
  /** Something of these users changed here. */
  tell(uids: readonly string[]): void;
  close(): void;
}

/** `forget` is called for what changed here too, before the others hear of it; `forgetAll` when words may have been lost. */
export function followChanges(parts: {
  nats: NatsConnection;
  forget(uids: readonly string[]): void;
  forgetAll(): void;
  log: Logger;
}): Changes {
  const { nats, forget, forgetAll, log } = parts;
  const subscription = nats.subscribe(subjects.pushChanged, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "subscription_failed", subject: subjects.pushChanged, err: error });
      forget((parseJson(message.data) as PushChanged).uids);
    },
  });
  const stop = onNatsBack(nats, forgetAll);
  return {
    tell(uids) {
      forget(uids);
      if (nats.isClosed()) return;
      const told: PushChanged = { uids };
      nats.publish(subjects.pushChanged, JSON.stringify(told));
    },
    close() {
      stop();
      if (!nats.isClosed()) subscription.unsubscribe();
    },
  };
}
