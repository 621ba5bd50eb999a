// Rooms as one user may see them, of any replica: what they are, and how the user stands to them.
import { AppError, type RoomsReply, type RoomsRequest, type RoomView } from "@parley/protocol";
import { isPresent, standingOf } from "../fold/members.ts";
import { type ConversationInfo, type Member, memberKey } from "../keep/store.ts";
import { membershipsOf, type Reading } from "./reading.ts";

const convsMax = 1_000;

/** Documents alone are right about it: no change is answered or followed by another before they have it. */
export async function roomsOf(reading: Reading, { uid, convs }: RoomsRequest): Promise<RoomsReply> {
  if (convs && convs.length > convsMax) throw new AppError("invalid_packet", `convs: at most ${convsMax}`);
  const members = convs ? await membersIn(reading, uid, convs) : await ownRooms(reading, uid);
  const known = convs ?? [...members.keys()];
  const infos = await reading.store.infos.getMany(known);
  return { rooms: known.map((conv) => viewOf(conv, infos.get(conv)?.doc, members.get(conv))) };
}

async function membersIn({ store }: Reading, uid: string, convs: readonly string[]): Promise<Map<string, Member>> {
  const documents = await store.members.getMany(convs.map((conv) => memberKey(conv, uid)));
  return new Map([...documents.values()].map(({ doc }) => [doc.conv, doc]));
}

async function ownRooms(reading: Reading, uid: string): Promise<Map<string, Member>> {
  const all = await membershipsOf(reading, uid);
  const own = all.filter((member) => member.conv.startsWith("room/") && (isPresent(member) || member.pending));
  return new Map(own.map((member) => [member.conv, member]));
}

function viewOf(conv: string, info: ConversationInfo | undefined, member: Member | undefined): RoomView {
  const view: RoomView = { conv, name: info?.name ?? "" };
  if (info?.room) view.room = info.room;
  if (info?.size) view.members = info.size.members;
  if (!member) return view;
  const standing = standingOf(member);
  if (standing) return { ...view, standing, ...(member.pending ? { by: member.pending.by } : {}) };
  if (!isPresent(member)) return view;
  const { role, mutedUntil, stays } = member;
  view.member = { role, joinSeq: stays.at(-1)?.[0] ?? 1, ...(mutedUntil === undefined ? {} : { mutedUntil }) };
  return view;
}
