// Whether tokens are refused one by one, or so many of an app that not the tokens are wrong but where they are sent.
import { LRUCache } from "lru-cache";

export interface BadTokens {
  /**
   * Of the last answers so many were refusals, this one included. A token is counted as refused once, so that one that nobody has
   * removes itself however often it is tried.
   */
  count(app: string, token: string, isBad: boolean): { bad: number; of: number; isSuspicious: boolean };
}

/** How many answers of an app are looked at, and from how many on they say anything. */
const answersMax = 100;
const answersLeast = 10;
const badShareMax = 0.2;
/** Names of apps come from those who register. */
const appsMax = 1_000;
const refusedMax = 20_000;

export function openBadTokens(): BadTokens {
  const apps = new LRUCache<string, boolean[]>({ max: appsMax });
  const refused = new LRUCache<string, true>({ max: refusedMax });
  return {
    count(app, token, isBad) {
      const answers = apps.get(app) ?? [];
      const name = `${app} ${token}`;
      if (!isBad || !refused.has(name)) answers.push(isBad);
      if (isBad) refused.set(name, true);
      if (answers.length > answersMax) answers.shift();
      apps.set(app, answers);
      const bad = answers.filter(Boolean).length;
      const isSuspicious = isBad && answers.length >= answersLeast && bad / answers.length > badShareMax;
      return { bad, of: answers.length, isSuspicious };
    },
  };
}
