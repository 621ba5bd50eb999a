// Whose typing the other side of a direct conversation does not take: asked of history, at most two seconds old.
import type { MemberPage, MembersRequest } from "@parley/protocol";
import type { AskHolder } from "@parley/runtime";
import { LRUCache } from "lru-cache";

const conversationsKept = 5_000;
const keptMs = 2_000;

/** True if what `uid` says in the direct conversation `conv` is for nobody else. Rejects when history cannot be asked. */
export type IsRefused = (conv: string, uid: string) => Promise<boolean>;

export function createIsRefused(askHolder: Pick<AskHolder, "json">): IsRefused {
  // Those who want the same at once share a request.
  const kept = new LRUCache<string, Promise<readonly string[]>>({ max: conversationsKept, ttl: keptMs });
  const ask = (conv: string) => {
    const request: MembersRequest = { conv };
    const refused = askHolder.json<MemberPage>("members", conv, request).then(({ refused = [] }) => refused);
    kept.set(conv, refused);
    refused.catch(() => kept.delete(conv));
    return refused;
  };
  return async (conv, uid) => (await (kept.get(conv) ?? ask(conv))).includes(uid);
}
