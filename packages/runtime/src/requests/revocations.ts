// Every revocation that still matters, as api keeps them: loaded by whoever may have missed some.
import { type Revocation, subjects } from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import { requestJson } from "./request.ts";

const answerMs = 5000;

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
