// An operator has dead letters tried again.
import {
  AppError,
  type PushProvider,
  type PushReplayReply,
  type PushReplayRequest,
  pushProviders,
  subjects,
} from "@parley/protocol";
import { type Answering, answerJson, type Logger, type NatsConnection } from "@parley/runtime";
import type { DeadLetters } from "./dead-letters.ts";
import type { WatchedQueues } from "./lengths.ts";

export function answerReplay(
  nats: NatsConnection,
  deadLetters: Pick<DeadLetters, "replay">,
  queues: Pick<WatchedQueues, "read">,
  log: Logger,
): Answering {
  return answerJson<Partial<PushReplayRequest>>(
    nats,
    subjects.replayPush,
    "push",
    async ({ provider, limit = 0 }) => {
      if (provider !== undefined && !pushProviders.includes(provider))
        throw new AppError("invalid_packet", `a provider is ${pushProviders.join(", ")}`);
      if (!Number.isSafeInteger(limit) || limit < 1)
        throw new AppError("invalid_packet", "limit is a number from 1 on");
      const replayed = await deadLetters.replay({ ...(provider !== undefined && { provider }), limit });
      return { ...replayed, ...(await waitingOf(queues, provider)) };
    },
    log,
  );
}

/** What was replayed is, whether JetStream says now how long its queues are or not. */
async function waitingOf(
  queues: Pick<WatchedQueues, "read">,
  provider: PushProvider | undefined,
): Promise<Pick<PushReplayReply, "waiting">> {
  const lengths = await queues.read().catch(() => undefined);
  if (lengths === undefined) return {};
  const asked = [...lengths].filter(([name]) => provider === undefined || name === provider);
  return { waiting: Object.fromEntries(asked) };
}
