// One stored message, read from history by its place in the log, as it is to be delivered.
import { AppError, type Message, subjects } from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";
import type { StoredMessage } from "./deliver.ts";

interface StoredEntry {
  memberSeq: number;
  /** absent: nothing is stored there */
  message?: Message;
}

const timeoutMs = 3_000;
const attemptsMax = 3;

/** undefined: nothing is stored there. Throws `unavailable` when no history answers. */
export type ReadStored = (q: number, pos: number) => Promise<StoredMessage | undefined>;

export function createReadStored(nats: NatsConnection): ReadStored {
  return async (q, pos) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return storedMessage(await requestJson<StoredEntry>(nats, subjects.stored, { q, pos }, { timeoutMs }));
      } catch (thrown) {
        const error = AppError.from(thrown);
        // Whoever asked in vain because nobody was there asks again in a moment.
        if (error.code !== "unavailable" || attempt === attemptsMax) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * 100));
      }
    }
  };
}

function storedMessage({ memberSeq, message }: StoredEntry): StoredMessage | undefined {
  if (!message) return undefined;
  const { conv, seq, from, device, ts, ...body } = message;
  return { fields: { conv, seq, from, device, ts }, memberSeq, body: Buffer.from(JSON.stringify(body)) };
}
