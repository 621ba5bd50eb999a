// The account of a soak: what was sent and acknowledged, small enough to be kept for hours, and compared at the end.
import { callHttp } from "@parley/client";
import { historyGet } from "@parley/protocol";

export interface Counts {
  sent: number;
  acknowledged: number;
  /** messages sent again, for want of an answer or after a refusal that asks for it */
  again: number;
  refused: Record<string, number>;
  received: number;
  receipts: number;
  typing: number;
  syncs: number;
  reconnects: number;
  logins: number;
  /** requests that were answered with an error, or not in time */
  failedRequests: number;
}

/** What the log holds against what was promised. */
export interface Comparison {
  stored: number;
  /** acknowledged and not in the log at that place */
  lost: number;
  /** stored twice under one id */
  doubled: number;
}

export interface Tally {
  counts: Counts;
  /** Number `n` was acknowledged as `seq` of `conv`. Again is fine if it is the same place. */
  acknowledged(conv: string, seq: number, n: number): void;
  /** Reads every conversation whole and compares. */
  compare(options: { http: string; convs: readonly string[]; tokenFor(conv: string): string }): Promise<Comparison>;
}

const together = 4;

export function openTally(): Tally {
  const counts: Counts = {
    ...{ sent: 0, acknowledged: 0, again: 0, refused: {}, received: 0, receipts: 0, typing: 0, syncs: 0 },
    ...{ reconnects: 0, logins: 0, failedRequests: 0 },
  };
  const placed = new Map<string, Uint32Array>();

  function acknowledged(conv: string, seq: number, n: number): void {
    let places = placed.get(conv) ?? new Uint32Array(256);
    if (seq >= places.length) {
      const larger = new Uint32Array(2 * seq);
      larger.set(places);
      places = larger;
    }
    placed.set(conv, places);
    places[seq] = n + 1;
  }

  // Each page of one conversation's log, in order.
  async function* pagesOf(http: string, conv: string, token: string) {
    for (let after = 0; ; ) {
      const page = await callHttp(http, historyGet, { conv, after, limit: 500 }, { token, timeoutMs: 60_000 });
      yield page.messages;
      after = page.messages.at(-1)?.seq ?? after;
      if (!page.more || page.messages.length === 0) return;
    }
  }

  async function compareOne(http: string, conv: string, token: string, seen: Uint8Array): Promise<Comparison> {
    const missing = promisedIn(conv);
    const found: Comparison = { stored: 0, lost: 0, doubled: 0 };
    for await (const messages of pagesOf(http, conv, token))
      for (const { seq, id } of messages) {
        const n = numberOf(id);
        if (n === undefined) continue;
        found.stored += 1;
        found.doubled += seen[n] ?? 0;
        seen[n] = 1;
        if (missing.get(seq) === n) missing.delete(seq);
      }
    return { ...found, lost: missing.size };
  }

  // seq → the message that was acknowledged there
  function promisedIn(conv: string): Map<number, number> {
    const promised = new Map<number, number>();
    for (const [seq, place] of (placed.get(conv) ?? []).entries()) if (place > 0) promised.set(seq, place - 1);
    return promised;
  }

  return {
    counts,
    acknowledged,
    async compare({ http, convs, tokenFor }) {
      const seen = new Uint8Array(counts.sent);
      const sum: Comparison = { stored: 0, lost: 0, doubled: 0 };
      for (let from = 0; from < convs.length; from += together) {
        const some = convs.slice(from, from + together);
        const found = await Promise.all(some.map((conv) => compareOne(http, conv, tokenFor(conv), seen)));
        for (const { stored, lost, doubled } of found) {
          sum.stored += stored;
          sum.lost += lost;
          sum.doubled += doubled;
        }
      }
      return sum;
    },
  };
}

export function idOf(n: number): string {
  return `soak-${n}`;
}

export function numberOf(id: unknown): number | undefined {
  const [, digits] = /^soak-(\d+)$/.exec(String(id)) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
