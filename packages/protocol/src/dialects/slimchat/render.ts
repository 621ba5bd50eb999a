// What Parley has for a device, in the draft's words.
import type { JsonObject } from "../../codec.ts";
import { presenceGet } from "../../methods/presence.ts";
import { rosterList } from "../../methods/roster.ts";
import { usersGet } from "../../methods/users.ts";
import type { Contact, PresenceNotice } from "../../packets/downlink.ts";
import type { Downlink, Parley, Said } from "../dialect.ts";
import { readAll } from "../read-all.ts";
import { remembering } from "../remembered.ts";
import { writeEvent } from "./events.ts";
import { writeMessage } from "./messages.ts";
import { writePresence, writeSubscription } from "./presence.ts";
import type { Voice } from "./voice.ts";

/** Contacts of whom a device is known to have been told how they stand. */
const relationsMax = 1_000;

interface Render {
  (packet: Downlink): Said[] | Promise<Said[]>;
  /** The requests that wait for the user's answer; how others stand is remembered. */
  requests(): Promise<Said[]>;
}

export function createRender(voice: Voice, parley: Parley): Render {
  const relations = remembering<Contact["relation"]>(relationsMax);
  const event = (packet: Downlink) => writeEvent(packet, voice.uid, Date.now());

  function wordOf(contact: Contact): JsonObject | undefined {
    const before = relations.get(contact.id);
    relations.set(contact.id, contact.relation);
    return writeSubscription(contact, voice.uid, before);
  }

  async function presence(notice: Omit<PresenceNotice, "type">): Promise<Said> {
    // Nobody but api knows it as it is now: who said it with its presence has it in the profile already.
    const profile = notice.show === "offline" ? {} : await parley.call(usersGet, { uid: notice.uid }).catch(() => ({}));
    return voice.toUser(writePresence(notice, (profile as { vcard?: object }).vcard));
  }

  // Changed profiles are told by it too: a contact's presence comes anew, with the vcard that it has now.
  async function changedContact(notice: Downlink): Promise<Said[]> {
    const contact = notice.contact as Contact;
    const word = wordOf(contact);
    const isThere =
      contact.relation === "contact"
        ? await parley.call(presenceGet, { uid: contact.id }).catch(() => undefined)
        : undefined;
    return [
      ...(word ? [voice.toUser(word)] : []),
      voice.toUser(event(notice)),
      ...(isThere ? [await presence(isThere)] : []),
    ];
  }

  // Pages are of those changed last at their end: what is remembered in the end are these.
  async function requests(): Promise<Said[]> {
    const said: Said[] = [];
    const contacts = await readAll(
      (page) => parley.call(rosterList, { limit: 500, ...page }),
      (page) => page.contacts,
    );
    for (const contact of contacts) {
      relations.forget(contact.id);
      const word = wordOf(contact);
      if (word && contact.relation === "pending" && !contact.blocked) said.push(voice.toUser(word));
    }
    return said;
  }

  const render = (packet: Downlink) => {
    const { type, conv, content } = packet;
    if (typeof content === "object" && content !== null && conv !== undefined)
      return [voice.inConversation(`${conv}`, writeMessage(packet, parley.publicUrl))];
    if (type === "presence") return presence(packet as PresenceNotice).then((one) => [one]);
    if (type === "roster.changed") return changedContact(packet);
    if (type === "nack") return [voice.toDevice(event(packet))];
    // The draft has no typing; its acks are copies of messages; answers to requests are native.
    if (type === undefined || type === "typing" || type === "ack") return [];
    return [voice.toUser(event(packet))];
  };
  return Object.assign(render, { requests });
}
