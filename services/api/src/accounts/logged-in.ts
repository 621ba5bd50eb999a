// The devices that a user is logged in as: those of whose families of refresh tokens one is good.
import type { LoginsReply } from "@parley/protocol";
import type { ApiStore } from "../store.ts";
import { isOfEarlierPassword } from "./families.ts";

const listed = 1_000;
const pageDocuments = 500;

/** A device that has logged in several times is answered once, with its latest. */
export async function loggedIn(store: ApiStore, uid: string): Promise<LoginsReply> {
  const latest = new Map<string, number>();
  for (let page: string | null | undefined; page !== null && latest.size < listed; ) {
    const query = { index: "device", equals: [uid], limit: pageDocuments, ...(page === undefined ? {} : { page }) };
    const { items, next } = await store.refreshTokens.find(query);
    const ended = await Promise.all(items.map((family) => isOfEarlierPassword(store, family)));
    for (const [at, { doc }] of items.entries()) {
      const { clientId, issuedAt, expiresAt } = doc;
      if (ended[at] || expiresAt <= Date.now()) continue;
      latest.set(clientId, Math.max(issuedAt, latest.get(clientId) ?? 0));
    }
    page = next;
  }
  return { logins: [...latest].slice(0, listed).map(([clientId, at]) => ({ clientId, at })) };
}
