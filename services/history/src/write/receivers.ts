// Do the receivers of new conversations exist? Asked of api once a user; the positive answers are kept.
import {
  type AppendItem,
  type AppendOutcome,
  type ExistsRequest,
  namedMembers,
  parseConv,
  subjects,
} from "@parley/protocol";
import { type Logger, type NatsConnection, requestJson, upTo } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import type { Shelf } from "./conversation.ts";
import { noSuchUser, refusal } from "./outcome.ts";

const usersKept = 100_000;
const timeoutMs = 1_000;
// While api does not answer, nobody waits for it again this long: a batch is held up at most once.
const pauseMs = 1_000;

export interface Receivers {
  /** undefined: nothing to ask. Else one refusal or undefined an item, in order. */
  refusals(items: readonly AppendItem[]): Promise<(AppendOutcome | undefined)[]> | undefined;
  /** Asks again whether this user exists. */
  forget(uid: string): void;
}

export function createReceivers({ nats, shelf, log }: { nats: NatsConnection; shelf: Shelf; log: Logger }): Receivers {
  const existing = new LRUCache<string, true>(upTo(usersKept));
  let askAgainAt = Number.NEGATIVE_INFINITY;

  async function exists(request: ExistsRequest): Promise<boolean | "unknown"> {
    const { uid, by } = request;
    // Whether one may know of another changes from one message to the next.
    if (by === undefined && existing.get(uid)) return true;
    if (performance.now() < askAgainAt) return "unknown";
    try {
      const found = await requestJson<{ exists: boolean }>(nats, subjects.userExists, request, { timeoutMs });
      if (found.exists) existing.set(uid, true);
      return found.exists;
    } catch (error) {
      askAgainAt = performance.now() + pauseMs;
      log.warn({ event: "users_unknown", reason: String(error) });
      return "unknown";
    }
  }

  async function refusalOf({ conv, from }: AppendItem): Promise<AppendOutcome | undefined> {
    const parsed = parseConv(conv);
    const others = ((parsed && namedMembers(parsed)) ?? []).filter((uid) => uid !== from);
    const { lastSeq, refused } = await shelf.load(conv);
    if (lastSeq > 0) return undefined;
    // Of two who never wrote the one whose messages the other does not take must not learn by it that there is such a user.
    const by = refused?.has(from) ? { by: from } : {};
    const answers = await Promise.all(others.map((uid) => exists({ uid, ...by })));
    if (answers.includes(false)) return noSuchUser;
    return answers.includes("unknown") ? refusal("unavailable", "whether the user exists is not known now") : undefined;
  }

  function isKnown({ conv }: AppendItem): boolean {
    if (conv.startsWith("room/") || conv.startsWith("ch/")) return true;
    return (shelf.get(conv)?.lastSeq ?? 0) > 0;
  }

  return {
    refusals: (items) => (items.every(isKnown) ? undefined : Promise.all(items.map(refusalOf))),
    forget: (uid) => void existing.delete(uid),
  };
}
