// Asks the history replica that holds a conversation, and again where its lease has moved to.
import { AppError, historySubject } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import type { NatsConnection } from "../connections/nats.ts";
import type { HolderLookup } from "../leases/holders.ts";
import { readJsonAnswer, request } from "./request.ts";

/** What only the holder answers. */
export type HolderVerb = Parameters<typeof historySubject>[0];

/** How long is asked in all, and how long one answer is waited for (ms). */
export interface Patience {
  allMs: number;
  answerMs: number;
}

export interface AskHolder {
  /**
   * Asks until there is an answer that is not `unavailable`, or its patience has ended, as a rule after ten seconds: then `unavailable`,
   * the outcome unknown. So what is asked must be idempotent. `read` makes the answer of the reply's bytes, and throws its refusal.
   */
  bytes<Answer>(
    verb: HolderVerb,
    conv: string,
    payload: Uint8Array | string,
    read: (bytes: Uint8Array) => Answer,
    patience?: Patience,
  ): Promise<Answer>;
  /** The same with a JSON body and answer. */
  json<Answer>(verb: HolderVerb, conv: string, body: object, patience?: Patience): Promise<Answer>;
  /** What is being asked again fails now as `unavailable`. */
  close(): void;
}

const asRule: Patience = { allMs: 10_000, answerMs: 3_000 };
const pauseMs = 100;

export function createAskHolder(nats: NatsConnection, holders: HolderLookup): AskHolder {
  let closed = false;

  async function once(verb: HolderVerb, q: string, payload: Uint8Array | string, timeoutMs: number) {
    const holder = holders.of(q);
    if (holder === undefined) throw new AppError("unavailable", "no history replica holds the conversation");
    return request(nats, historySubject(verb, holder), payload, { timeoutMs });
  }

  async function bytes<Answer>(
    verb: HolderVerb,
    conv: string,
    payload: Uint8Array | string,
    read: (bytes: Uint8Array) => Answer,
    { allMs, answerMs }: Patience = asRule,
  ): Promise<Answer> {
    const q = String(conversationPartition(conv));
    const deadline = performance.now() + allMs;
    for (;;) {
      const asked = holders.of(q);
      try {
        return read(await once(verb, q, payload, Math.max(1, Math.min(answerMs, deadline - performance.now()))));
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "unavailable") throw error;
        if (closed || performance.now() + pauseMs >= deadline) throw unanswered(error);
      }
      await holders.refresh();
      if (holders.of(q) === asked) await holders.told(q, pauseMs);
    }
  }

  return {
    bytes,
    json: (verb, conv, body, patience) =>
      bytes(verb, conv, JSON.stringify(body), (reply) => readJsonAnswer(reply) as never, patience),
    close() {
      closed = true;
    },
  };
}

function unanswered(cause: AppError): AppError {
  return new AppError("unavailable", "history does not answer; the outcome is unknown, send it again", { cause });
}
