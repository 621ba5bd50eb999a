// Who may know of a user's presence: presence asks.
import {
  type AppError,
  type ContactsReply,
  isUid,
  limits,
  noUser,
  type SeenReply,
  type SeenRequest,
} from "@parley/protocol";
import type { ApiStore } from "../store.ts";
import { areContacts, pairKey, sidesOf } from "./pairs.ts";
import { keptProfile, lastSeenOf, maySee } from "./profiles.ts";
import { asRegistered } from "./visible.ts";

const pagePairs = 500;

export async function contactsOfUser({ pairs, profiles, users }: ApiStore, uid: string): Promise<ContactsReply> {
  const contactsIn = async (index: "ofA" | "ofB") => {
    const found: string[] = [];
    for (let page: string | null | undefined; page !== null && found.length < limits.presenceContacts; ) {
      const query = { index, equals: [uid], limit: pagePairs, ...(page === undefined ? {} : { page }) };
      const { items, next } = await pairs.find(query);
      for (const { doc } of items) if (areContacts(sidesOf(doc, uid))) found.push(doc.a === uid ? doc.b : doc.a);
      page = next;
    }
    return found;
  };
  const [first, second, profile, user] = await Promise.all([
    contactsIn("ofA"),
    contactsIn("ofB"),
    profiles.get(uid),
    users.get(uid),
  ]);
  const uids = [...first, ...second].slice(0, limits.presenceContacts);
  return { uids, lastSeen: lastSeenOf(profile?.doc), ...(user ? {} : { isGone: true }) };
}

/** One answer for who does not exist and for whom `by` may not see. Who has blocked `by` looks as if never seen. */
export async function seenByUser(store: ApiStore, asked: SeenRequest): Promise<SeenReply | AppError> {
  const { by } = asked;
  const [uid = ""] = isUid(asked.uid) ? await asRegistered(store, by, [asked.uid]) : [];
  const profile = uid === "" ? undefined : await keptProfile(store, uid);
  if (!profile || !(await maySee(store, profile.doc, by))) return noUser(asked.uid);
  if (uid === by) return { uid, presence: true, lastSeen: true };
  const sides = sidesOf((await store.pairs.get(pairKey(uid, by)))?.doc, uid);
  const presence = areContacts(sides);
  const isBlocked = sides.mine.blocked || sides.theirs.blocked;
  const privacy = lastSeenOf(profile.doc);
  return { uid, presence, lastSeen: privacy === "everybody" ? !isBlocked : privacy === "contacts" && presence };
}
