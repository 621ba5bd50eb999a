// Invitations to a group, `{uid}/o/i`: {"name","image","groupId"}, and the same as {"g","s","n"}.

import { isUid } from "../../../ids.ts";
import { roomsInvitations, roomsInvite } from "../../../methods/members.ts";
import { roomsGet } from "../../../methods/rooms.ts";
import type { InvitationNotice } from "../../../packets/downlink.ts";
import type { Downlink, Said } from "../../dialect.ts";
import { readAll } from "../../read-all.ts";
import { asGroupEvent, type Device } from "../device/device.ts";
import { readObject, textField } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { sayWords } from "../device/words.ts";
import { changeGroup, findOrMake } from "./groups.ts";
import type { Addressed, Provider } from "./provider.ts";

const suffixes = ["o/i", "others/invitations"] as const;

export const invitations: Provider = {
  suffixes,
  async take({ id: invited, packet }: Addressed, device) {
    const object = readObject(packet.payload);
    const id = object && textField(object, "groupId", "g");
    if (object === undefined || id === undefined)
      return sayWords(device, `${invited} not invited: an invitation is {"name","image","groupId"}`);
    const [name, avatar] = [textField(object, "name", "n"), textField(object, "image")];
    await changeGroup(device, { id, what: `${invited} not invited to ${id}` }, async () => {
      await findOrMake(device, id, { name, avatar });
      await device.parley.call(roomsInvite, { id, uids: [invited] });
    });
  },
  render(packet: Downlink, device) {
    const invitation = packet.type === "invitation" ? (packet as unknown as InvitationNotice) : added(packet, device);
    if (invitation === undefined) return [];
    const topic = topicFor(device, device.tree.uid, suffixes);
    return device.hears(topic) ? saidInvitation(topic, invitation, device).then((said) => [said]) : [];
  },
  retained: {
    /** Those that wait for an answer: as they came they may have been lost. */
    async of(id, suffix, device) {
      if (id !== device.tree.uid || !isUid(id)) return [];
      const { parley } = device;
      const rows = await readAll(
        (page) => parley.call(roomsInvitations, page),
        (page) => page.invitations,
      );
      const open = rows.filter(({ standing }) => standing === "invited");
      return Promise.all(open.map((one) => saidInvitation(`${id}/${suffix}`, one, device)));
    },
    ofAll: (suffix, device) => invitations.retained?.of(device.tree.uid, suffix, device) ?? Promise.resolve([]),
  },
};

type Invitation = Pick<InvitationNotice, "id" | "by"> & { name?: string };

// Whoever was added at once does not know the group yet, and so has no filter for it.
function added(packet: Downlink, { tree }: Device): Invitation | undefined {
  const told = asGroupEvent(packet);
  if (told === undefined) return undefined;
  const { event, by, uids, name } = told.event;
  const isAdded = (event === "create" || event === "invite" || event === "admit") && uids.includes(tree.uid);
  if (!isAdded || by === tree.uid) return undefined;
  return { id: told.roomId, by, ...(name === undefined ? {} : { name }) };
}

async function saidInvitation(topic: string, { id, by, name }: Invitation, { parley }: Device): Promise<Said> {
  const group = await parley.call(roomsGet, { id }).catch(() => undefined);
  const [shown, image] = [group?.name ?? name ?? id, group?.avatar ?? ""];
  return { topic, payload: JSON.stringify({ name: shown, image, groupId: id, g: id, s: by, n: shown }) };
}
