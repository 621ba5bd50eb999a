// Every revocation that still matters, as api keeps them: loaded by whoever may have missed some.
import { type Revocation, subjects } from "@parley/protocol";
import { type NatsConnection, onNatsBack } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";
import { requestJson } from "./request.ts";

const answerMs = 5000;
const retryMs = 1000;

/** Asks api page by page. Throws AppError `unavailable` when it does not answer. */
export async function* loadRevocations(nats: NatsConnection): AsyncGenerator<Revocation> {
  for (let after: string | null = ""; after !== null; ) {
    const page: { revocations: Revocation[]; next: string | null } = await requestJson(
      nats,
      subjects.revocations,
      { after },
      { timeoutMs: answerMs },
    );
    yield* page.revocations;
    after = page.next ?? null;
  }
}

/**
 * Events are told once: all that may have been missed is handed to `take`, one after the other, at the start and each time NATS is
 * back. Begins anew, a second later, when `take` rejects or api does not answer; `taken` is called when none was left.
 */
export function takeMissedRevocations(options: {
  nats: NatsConnection;
  take(revocation: Revocation): Promise<void> | void;
  taken?(): void;
  log: Logger;
}): { close(): void } {
  const { nats, take, taken, log } = options;
  let run = 0;
  let timer: NodeJS.Timeout | undefined;
  async function load(): Promise<void> {
    clearTimeout(timer);
    const mine = ++run;
    try {
      for await (const revocation of loadRevocations(nats)) {
        if (run !== mine) return;
        await take(revocation);
      }
      if (run === mine) taken?.();
    } catch (error) {
      log.debug({ event: "revocations_not_looked_at", reason: String(error) });
      if (run === mine) timer = setTimeout(() => void load(), retryMs);
    }
  }
  void load();
  const forget = onNatsBack(nats, () => void load());
  return {
    close() {
      run = Number.NaN;
      forget();
      clearTimeout(timer);
    },
  };
}
