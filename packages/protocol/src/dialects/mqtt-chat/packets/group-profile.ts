// What a group is, `{gid}/g/p`: {"name","image","message","senderId"}; `message` says what happened.

import { roomsGet, roomsList, roomsUpdate } from "../../../methods/rooms.ts";
import type { MembershipEvent } from "../../../rooms.ts";
import type { Downlink, Said } from "../../dialect.ts";
import { readAll } from "../../read-all.ts";
import { refusedAs } from "../../refused-as.ts";
import { spellOut } from "../../spell-out.ts";
import { asGroupEvent, type Device, type GroupEvent } from "../device/device.ts";
import { readObject, textField } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { sayWords } from "../device/words.ts";
import { changeGroup, findOrMake, type Group } from "./groups.ts";
import type { Addressed, Provider } from "./provider.ts";

export const groupProfileSuffixes = ["g/p", "others/profile"] as const;

export const groupProfiles: Provider = {
  suffixes: groupProfileSuffixes,
  async take({ id, packet }: Addressed, device) {
    if (packet.payload.byteLength === 0) return;
    const object = readObject(packet.payload);
    const name = object && textField(object, "name");
    if (object === undefined || name === undefined)
      return sayWords(device, `profile of ${id} not changed: it is {"name","image","message","senderId"}`);
    const avatar = textField(object, "image");
    await changeGroup(device, { id, what: `profile of ${id} not changed` }, async () => {
      const group = await findOrMake(device, id, { name, avatar });
      if (group === undefined || (group.name === name && (avatar ?? group.avatar) === group.avatar)) return;
      await device.parley.call(roomsUpdate, { id, name, ...(avatar === undefined ? {} : { avatar }) });
    });
  },
  render(packet: Downlink, device) {
    const told = asGroupEvent(packet);
    return told === undefined ? [] : renderChange(packet, told, device);
  },
  retained: {
    inLists: true,
    async of(id, suffix, device) {
      if (id === device.tree.uid) return [];
      const group = await device.parley.call(roomsGet, { id });
      return [profilePacket(`${id}/${suffix}`, group, group.topic ?? group.name, group.createdBy)];
    },
    async ofAll(suffix, { parley }) {
      const rooms = await readAll(
        (page) => parley.call(roomsList, page),
        (page) => page.rooms,
      );
      return rooms.map((group) =>
        profilePacket(`${group.id}/${suffix}`, group, group.topic ?? group.name, group.createdBy),
      );
    },
  },
};

async function renderChange(
  packet: Downlink,
  { roomId, content, event }: GroupEvent,
  device: Device,
): Promise<readonly Said[]> {
  const topic = topicFor(device, roomId, groupProfileSuffixes);
  if (!device.hears(topic) || !(tellsGroupProfile(content) || comesIn(event, device))) return [];
  const group = await device.parley.call(roomsGet, { id: roomId }).catch(refusedAs(undefined));
  return group === undefined ? [] : [profilePacket(topic, group, await spellOut(packet, device.parley), event.by)];
}

/** Is it said by the profile that the group is another from here on? */
export function tellsGroupProfile({ data }: Record<string, unknown>): boolean {
  return (data as Partial<MembershipEvent> | undefined)?.event === "update";
}

// To whoever comes in it is as if it were subscribed only now.
function comesIn({ event, by, uids }: MembershipEvent, { tree }: Device): boolean {
  const names =
    event === "invite" || event === "admit" || event === "join" ? uids : event === "create" ? [by, ...uids] : [];
  return names.includes(tree.uid);
}

function profilePacket(topic: string, { name, avatar }: Group, message: string, senderId: string): Said {
  return { topic, payload: JSON.stringify({ name, image: avatar, message, senderId }) };
}
