// Direct conversations in which one of the two does not take the other's messages: asked of history, at most two seconds old.
import type { MemberPage, MembersRequest } from "@parley/protocol";
import type { AskHolder } from "@parley/runtime";
import { LRUCache } from "lru-cache";

const conversationsKept = 5_000;
const keptMs = 2_000;

/** True if of the two of a direct conversation neither hears that the other types. Rejects when history cannot be asked. */
export type IsRefused = (conv: string) => Promise<boolean>;

export function createIsRefused(askHolder: Pick<AskHolder, "json">): IsRefused {
  // Those who want the same at once share a request.
  const kept = new LRUCache<string, Promise<boolean>>({ max: conversationsKept, ttl: keptMs });
  const ask = (conv: string) => {
    const request: MembersRequest = { conv };
    const refused = askHolder.json<MemberPage>("members", conv, request).then(({ refused = [] }) => refused.length > 0);
    kept.set(conv, refused);
    refused.catch(() => kept.delete(conv));
    return refused;
  };
  return (conv) => kept.get(conv) ?? ask(conv);
}
