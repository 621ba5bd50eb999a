// An operator has dead letters tried again.
import { AppError, type PushReplayRequest, pushProviders, subjects } from "@parley/protocol";
import { type Answering, answerJson, type Logger, type NatsConnection } from "@parley/runtime";
import type { DeadLetters } from "./dead-letters.ts";

export function answerReplay(nats: NatsConnection, deadLetters: Pick<DeadLetters, "replay">, log: Logger): Answering {
  return answerJson<Partial<PushReplayRequest>>(
    nats,
    subjects.replayPush,
    "push",
    ({ provider, limit = 0 }) => {
      if (provider !== undefined && !pushProviders.includes(provider))
        throw new AppError("invalid_packet", `a provider is ${pushProviders.join(", ")}`);
      if (!Number.isSafeInteger(limit) || limit < 1)
        throw new AppError("invalid_packet", "limit is a number from 1 on");
      return deadLetters.replay({ ...(provider !== undefined && { provider }), limit });
    },
    log,
  );
}
