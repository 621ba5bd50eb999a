// The contacts of a device's user, and who of them is there.
import { presenceList } from "../methods/presence.ts";
import { rosterList } from "../methods/roster.ts";
import type { Contact } from "../packets/downlink.ts";
import type { Parley } from "./dialect.ts";
import { readAll } from "./read-all.ts";

/** Not those who are only asked, or who ask. */
export async function readContacts(parley: Parley): Promise<Contact[]> {
  const contacts = await readAll(
    (page) => parley.call(rosterList, page),
    (page) => page.contacts,
  );
  return contacts.filter(({ relation }) => relation === "contact");
}

/** uid → is it there, of all contacts */
export async function readPresence(parley: Parley): Promise<Map<string, boolean>> {
  const [online, contacts] = await Promise.all([
    readAll(
      (page) => parley.call(presenceList, page),
      (page) => page.contacts,
    ),
    readContacts(parley),
  ]);
  const there = new Set(online.map(({ uid }) => uid));
  return new Map(contacts.map(({ id }) => [id, there.has(id)]));
}
