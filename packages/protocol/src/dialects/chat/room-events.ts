// What happens in a room, as the packets `Room` that chat has of it; in words it is told by a message besides.
import type { Message } from "../../packets/downlink.ts";
import type { MembershipEvent } from "../../rooms.ts";
import type { Said } from "../dialect.ts";
import { refusedAs } from "../refused-as.ts";
import type { Device } from "./device/device.ts";
import { feedOf, feedTopic } from "./device/names.ts";
import { type ChatRoom, room } from "./records/rooms.ts";
import { readRoom, writeMember } from "./written/rooms.ts";

type Event = Partial<MembershipEvent> & { uids: string[]; by: string };

export async function roomsSaid(device: Device, { conv, content, from, device: by }: Message): Promise<Said[]> {
  const feed = feedOf(conv);
  const { data } = content as { data?: Partial<MembershipEvent> };
  if (feed.tup !== "muc" || feed.name === undefined || !data) return [];
  const event = { ...data, uids: data.uids ?? [], by: data.by ?? from };
  const mine = cameIn(event).find((uid) => device.tree.accounts.includes(uid));
  if (mine !== undefined) {
    // Who made it is answered with it.
    if (event.event === "create" && by === device.tree.clientId) return [];
    const status = event.event === "create" ? "create" : "add";
    const whole = await readRoom(device, feed.name, mine, status).catch(refusedAs(undefined));
    return whole === undefined ? [] : [device.packet(device.ses, room.write(whole, device.set))];
  }
  const change = changeOf(conv, feed.name, event);
  return change === undefined ? [] : [device.packet(feedTopic(feed), room.write(change, device.set))];
}

function cameIn({ event, uids, by, invited = [] }: Event): string[] {
  if (event === "create") return [by, ...uids];
  if (event === "join") return uids.length === 0 ? [by] : uids;
  return event === "invite" || event === "admit" ? uids.filter((uid) => !invited.includes(uid)) : [];
}

const statuses: Readonly<Partial<Record<MembershipEvent["event"], string>>> = {
  create: "create",
  invite: "add",
  join: "join",
  admit: "add",
  leave: "leave",
  block: "leave",
  remove: "remove",
  ban: "ban",
  unban: "unban",
  mute: "mute",
  unmute: "unmute",
  role: "add",
  transfer: "add",
  update: "patch",
  delete: "delete",
};

function changeOf(conv: string, id: string, event: Event): ChatRoom | undefined {
  const status = event.event && statuses[event.event];
  if (status === undefined) return undefined;
  const { name, room: state, role = event.event === "transfer" ? "owner" : "member" } = event;
  if (status === "patch")
    return { tup: "Room", id, name, description: state?.description, data: avatarOf(state?.avatar), status };
  const who = (event.uids.length === 0 ? [event.by] : event.uids).map((uid) => writeMember(conv, { uid, role }));
  return role === "member" ? { tup: "Room", id, members: who, status } : { tup: "Room", id, admins: who, status };
}

function avatarOf(payload: string | undefined): ChatRoom["data"] {
  return payload === undefined ? undefined : [{ tup: "Desc", mime: "image", payload }];
}
