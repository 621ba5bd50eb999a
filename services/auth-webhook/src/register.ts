// Has presence register devices that connect. Those that are let in without its answer too are asked about together: nobody's answer
// takes longer than another's there. Whoever needs it has a request of its own.
import { AppError, type ConnectReplies, type ConnectReply, type ConnectRequest, subjects } from "@parley/protocol";
import { type NatsConnection, openRounds, requestJson } from "@parley/runtime";
import type { ConnectRules } from "./connect-rules.ts";

/** So that request and reply are far below NATS' limit. */
const togetherMost = 200;
/** Whoever is refused without presence's answer: a store that is slow keeps it waiting, not away. */
const neededAnswerMs = 1000;

export function openRegister(nats: NatsConnection, timeoutMs: number): ConnectRules["register"] {
  const together = openRounds({
    most: togetherMost,
    async work(requests: readonly ConnectRequest[]): Promise<(ConnectReply | Error)[]> {
      const [first] = requests;
      // As an earlier presence is asked.
      if (requests.length === 1) return [await ask<ConnectReply>(nats, first as ConnectRequest, timeoutMs)];
      const replies = await ask<ConnectReplies>(nats, requests, timeoutMs);
      return replies.map((reply) => ("error" in reply ? AppError.fromWire(reply.error) : reply));
    },
  });
  return async (request, { isNeeded }) => {
    const asked = isNeeded ? ask<ConnectReply>(nats, request, Math.max(timeoutMs, neededAnswerMs)) : together(request);
    return asked.catch((error: unknown) => {
      if (error instanceof AppError) return undefined;
      throw error;
    });
  };
}

function ask<Answer>(nats: NatsConnection, asked: object, timeoutMs: number): Promise<Answer> {
  return requestJson<Answer>(nats, subjects.connectDevice, asked, { timeoutMs });
}
