// The devices that a user is logged in as: those of whose families of refresh tokens one is good.
import type { LoginsReply } from "@parley/protocol";
import type { ApiStore } from "../store.ts";
import { endedFamilies, familiesOf } from "./families.ts";

const listed = 1_000;

/** A device that has logged in several times is answered once, with its latest. */
export async function loggedIn(store: ApiStore, uid: string): Promise<LoginsReply> {
  const latest = new Map<string, number>();
  const isEnded = await endedFamilies(store, uid);
  for await (const families of familiesOf(store, { uid })) {
    for (const family of families) {
      const { clientId, issuedAt, expiresAt } = family.doc;
      if (isEnded(family) || expiresAt <= Date.now()) continue;
      latest.set(clientId, Math.max(issuedAt, latest.get(clientId) ?? 0));
    }
    if (latest.size >= listed) break;
  }
  return { logins: [...latest].slice(0, listed).map(([clientId, at]) => ({ clientId, at })) };
}
