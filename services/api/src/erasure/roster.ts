// The roster of a user who is erased, both sides of it: what others had noted goes, and their devices find it by the version.
import { AppError, type Contact } from "@parley/protocol";
import type { NatsConnection, RequestDoc } from "@parley/runtime";
import type { Page, Versioned } from "@parley/store";
import type { History } from "../history.ts";
import { contactsOf } from "../people/contacts.ts";
import { doorsOf } from "../people/doors.ts";
import { isOver, never, pairOf, sidesOf } from "../people/pairs.ts";
import { tellContactsChanged } from "../people/tell-presence.ts";
import { tellRosterChanged } from "../people/tell-roster.ts";
import type { ApiStore, PairDoc } from "../store.ts";

interface Parts {
  store: ApiStore;
  history: History;
  nats: NatsConnection;
}

const pagePairs = 200;

/** After its profile is gone, of which others see no more then. */
export async function eraseRoster(parts: Parts, uid: string): Promise<void> {
  for (const index of ["a", "b"] as const)
    for (let page: string | null | undefined; page !== null; ) {
      const query = { index, equals: [uid], limit: pagePairs, ...(page === undefined ? {} : { page }) };
      const { items, next }: { items: Versioned<PairDoc>[]; next: string | null } = await parts.store.pairs.find(query);
      for (const kept of items) await endPair(parts, uid, kept);
      page = next;
    }
}

// History is told first: who dies in between tells it again, by a later version.
async function endPair({ store, history, nats }: Parts, uid: string, kept: Versioned<PairDoc>): Promise<void> {
  const { key, doc, version } = kept;
  const { mine, theirs } = sidesOf(doc, uid);
  if (mine.changedAt === 0 && isOver(theirs)) return;
  const other = doc.a === uid ? doc.b : doc.a;
  const changedAt = theirs.changedAt === 0 ? 0 : Math.max(Date.now(), theirs.changedAt + 1);
  const sides = { mine: never, theirs: { ...never, changedAt } };
  const pair = pairOf(uid, other, sides);
  const [contact] = await contactsOf(store, other, [{ other: uid, sides: { mine: sides.theirs, theirs: never } }]);
  await history.doors(doorsOf(pair));
  await replaceAnswers(store, other, contact as Contact);
  if (!(await store.pairs.update(key, pair, version)))
    throw new AppError("unavailable", "the roster was changed at the same time");
  await tellContactsChanged(nats, { uid, other, areContacts: false });
  if (changedAt > 0) tellRosterChanged(nats, other, contact as Contact);
}

// What the other one was answered of the user stays for a day, for requests that are sent again.
async function replaceAnswers({ requests }: ApiStore, owner: string, contact: Contact): Promise<void> {
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "uid", equals: [owner], limit: pagePairs, ...(page === undefined ? {} : { page }) };
    const found: Page<RequestDoc> = await requests.find(query);
    for (const { key, doc, version } of found.items)
      if ((doc.answer as { id?: unknown } | undefined)?.id === contact.id)
        await requests.update(key, { ...doc, answer: contact }, version);
    page = found.next;
  }
}
