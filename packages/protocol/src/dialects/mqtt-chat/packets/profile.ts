// Profiles of users. `{id}/s/p` carries the uid, as programs have it: the profile is another by now; `{id}/self/profile` carries it as JSON.

import { AppError } from "../../../errors.ts";
import { isUid } from "../../../ids.ts";
import type { ParamsOf } from "../../../methods/method.ts";
import { profileUpdate, usersGet } from "../../../methods/users.ts";
import type { Contact } from "../../../packets/downlink.ts";
import { readContacts } from "../../contacts.ts";
import type { Downlink, Said } from "../../dialect.ts";
import { readObject } from "../device/payload.ts";
import { sayRefusal } from "../device/words.ts";
import type { Addressed, Provider } from "./provider.ts";

const short = "s/p";
const long = "self/profile";

export const profiles: Provider = {
  suffixes: [short, long],
  /** JSON changes the profile; any other text only says that it changed. */
  async take({ id, packet }: Addressed, device) {
    const object = readObject(packet.payload);
    if (object === undefined) return;
    if (id !== device.tree.uid)
      return sayRefusal(device, "profile not changed", new AppError("forbidden", "it is not yours"));
    const { name, nick, status, image, avatar = image } = object;
    const given = Object.entries({ name, nick, status, avatar }).filter(([, value]) => value !== undefined);
    if (given.length === 0) return;
    const params = profileUpdate.checkParams(Object.fromEntries(given));
    const refusal =
      params instanceof AppError
        ? params
        : await device.parley
            .call(profileUpdate, params as ParamsOf<typeof profileUpdate>)
            .then(() => undefined, AppError.from);
    if (refusal) await sayRefusal(device, "profile not changed", refusal);
  },
  render(packet: Downlink, device) {
    if (packet.type !== "roster.changed") return [];
    const { contact } = packet as unknown as { contact: Contact };
    if (contact.relation !== "contact") return [];
    const said = [short, long].map((suffix) => profilePacket(suffix, shownOf(contact)));
    return said.filter(({ topic }) => device.hears(topic)).slice(0, 1);
  },
  retained: {
    inLists: true,
    async of(id, suffix, { parley }) {
      return isUid(id) ? [profilePacket(suffix, await parley.call(usersGet, { uid: id }))] : [];
    },
    async ofAll(suffix, { parley }) {
      return (await readContacts(parley)).map((contact) => profilePacket(suffix, shownOf(contact)));
    },
  },
};

interface Shown {
  uid: string;
  name: string;
  nick: string;
  avatar: string;
  status: string;
}

function shownOf({ id: uid, name, nick, avatar, status = "" }: Contact): Shown {
  return { uid, name, nick, avatar, status };
}

function profilePacket(suffix: string, { uid, name, nick, avatar, status }: Shown): Said {
  const payload = suffix === short ? uid : JSON.stringify({ id: uid, name, nick, image: avatar, status });
  return { topic: `${uid}/${suffix}`, payload };
}
