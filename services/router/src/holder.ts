// Asks the history replica that holds a conversation, and again where the lease has moved to.
import { AppError, historySubject } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { type HolderLookup, type NatsConnection, requestJson } from "@parley/runtime";

/** Throws history's AppError, or `unavailable` when no holder answered in time. */
export type AskHolder = <Reply>(verb: "members" | "receipt", conv: string, body: object) => Promise<Reply>;

const timeoutMs = 3_000;
// A lease is free 5 s after its holder died, and held again soon after.
const giveUpMs = 8_000;
const pauseMs = 200;

export function createAskHolder(nats: NatsConnection, holders: HolderLookup): AskHolder {
  return async <Reply>(verb: "members" | "receipt", conv: string, body: object) => {
    const q = String(conversationPartition(conv));
    const deadline = Date.now() + giveUpMs;
    for (;;) {
      const holder = holders.of(q);
      try {
        if (holder === undefined) throw new AppError("unavailable", "no history replica holds the conversation");
        return await requestJson<Reply>(nats, historySubject(verb, holder), body, { timeoutMs });
      } catch (thrown) {
        const error = AppError.from(thrown);
        if (error.code !== "unavailable" || Date.now() >= deadline) throw error;
        await holders.refresh();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
}
