// One try each: so many at once, and each settles within its time whatever the provider or its library does.
import { openTurns, within } from "@parley/runtime";
import type { Outcome } from "./outgoing.ts";

export interface AttemptLimits {
  /** ms, waiting for a turn included */
  deadlineMs: number;
  atOnce: number;
  /** of one key; all of them unless said */
  atOnceEach?: number;
}

export interface Attempt {
  /** Tries once. What it rejects with is an outcome that nobody knows. `signal` is aborted at the deadline. */
  work(signal: AbortSignal): Promise<Outcome>;
  /** Called when the work began and did not end in time: what is to be said of it. */
  late?(): Outcome;
  /** Attempts of one key share its turns. */
  key?: string;
}

export interface Attempts {
  run(attempt: Attempt): Promise<Outcome>;
  /** Nothing begins any more; resolves when what has begun has settled, or does not in two seconds. */
  close(): Promise<void>;
}

const reasonMax = 200;
/** Of a provider that hangs nothing is to be had; what it was sent comes again. */
const closeWaitMs = 2_000;

export function openAttempts({ deadlineMs, atOnce, atOnceEach = atOnce }: AttemptLimits): Attempts {
  const turns = openTurns({ atOnce, atOnceEach });
  const unsettled = new Set<Promise<Outcome>>();
  let isClosed = false;

  async function attempt({ work, late, key = "" }: Attempt): Promise<Outcome> {
    if (isClosed) return closing;
    const beginBefore = performance.now() + deadlineMs * shareToWait;
    const abort = new AbortController();
    let isDue = false;
    let hasBegun = false;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => {
        isDue = true;
        resolve(hasBegun ? (late?.() ?? unanswered(deadlineMs)) : tooMany);
        abort.abort();
      }, deadlineMs);
    });
    const done = (async () => {
      const turn = await turns.take({ key, isWanted: () => !isDue });
      try {
        if (isClosed) return closing;
        if (performance.now() > beginBefore) return tooMany;
        hasBegun = true;
        // A work that throws before it promises anything rejects here as well. At the deadline its turn is over.
        return await Promise.race([work(abort.signal), deadline]);
      } finally {
        turn?.();
      }
    })();
    return Promise.race([done, deadline])
      .catch((error: unknown): Outcome => ({ is: "unknown", reason: reasonOf(error) }))
      .finally(() => clearTimeout(timer));
  }

  return {
    run(one) {
      const settled = attempt(one);
      unsettled.add(settled);
      void settled.finally(() => unsettled.delete(settled));
      return settled;
    },
    async close() {
      isClosed = true;
      await within(closeWaitMs, Promise.all(unsettled));
    },
  };
}

/** What has waited for its turn for so much of its time does not begin: it would be given up before it is answered. */
const shareToWait = 0.75;
const tooMany = { is: "later", reason: "too many are under way", unasked: true } as const satisfies Outcome;
const closing = { is: "later", reason: "push is stopping", unasked: true } as const satisfies Outcome;

export function unanswered(ms: number): Outcome {
  return { is: "unknown", reason: `no answer within ${ms} ms` };
}

/** A provider's words, or an error's, as one line for logs: what stands in it is not ours. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text
    .replace(/[^\P{C}]+|\s+/gu, " ")
    .trim()
    .slice(0, reasonMax);
}

const retryAfterMsMax = 24 * 3_600_000;

/** A Retry-After header, in seconds or as a date [RFC 9110 10.2.3]; undefined: there is none that can be read. */
export function retryAfterMs(header: string | string[] | undefined, now = Date.now()): number | undefined {
  const text = [header].flat()[0]?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), retryAfterMsMax);
}

/** Why TLS failed, if it did: one side does not trust the other's certificate. */
export function isCertificateError(text: string): boolean {
  return /certificate|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ALTNAME|unknown ca\b|TLSV1_ALERT|SSLV3_ALERT/i.test(
    text,
  );
}

/** Whom no connection could be made to: surely nothing was taken. */
export function isUnreachable(text: string): boolean {
  return /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/.test(text);
}
