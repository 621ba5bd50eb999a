// The devices that a user is logged in as: those of whose families of refresh tokens one is good.
import type { LoginsReply } from "@parley/protocol";
import type { ApiStore } from "../store.ts";
import { credentialOf, endedFamilies, familiesOf } from "./families.ts";

const listed = 1_000;
const listedFamilies = 8;

/** A device that has logged in several times is answered once, with its latest. */
export async function loggedIn(store: ApiStore, uid: string): Promise<LoginsReply> {
  const latest = new Map<string, { at: number; families: string[]; passwordSince: number }>();
  const isEnded = await endedFamilies(store, uid);
  for await (const families of familiesOf(store, { uid })) {
    for (const family of families) {
      const { clientId, issuedAt, expiresAt } = family.doc;
      const { family: name, passwordSince } = credentialOf(family);
      if (isEnded(family) || expiresAt <= Date.now()) continue;
      const { at, families: others } = latest.get(clientId) ?? { at: 0, families: [] };
      latest.set(clientId, {
        at: Math.max(issuedAt, at),
        families: [...others, name].slice(-listedFamilies),
        passwordSince,
      });
    }
    if (latest.size >= listed) break;
  }
  return { logins: [...latest].slice(0, listed).map(([clientId, login]) => ({ clientId, ...login })) };
}
