// Rooms as one user may see them, of any replica: what they are, and how the user stands to them.
import { AppError, isThereWith, limits, type RoomsReply, type RoomsRequest, type RoomView } from "@parley/protocol";
import { fittingCount } from "@parley/runtime";
import type { Asker } from "../fold/devices.ts";
import { isPresent, standingOf } from "../fold/members.ts";
import { type ConversationInfo, type Member, memberKey } from "../keep/store.ts";
import { membershipPages, type Reading } from "./reading.ts";

const prefix = "room/";
const convsMax = 20;
const limitMax = 500;
const membershipsAtOnce = 250;
/** Memberships that are looked at for one page. */
const lookedMax = 5_000;

/** Documents alone are right about it: no change is answered or followed by another before they have it. */
export async function roomsNamed({ store }: Reading, asker: Asker, convs: readonly string[]): Promise<RoomsReply> {
  const { uid } = asker;
  if (convs.length > convsMax) throw new AppError("invalid_packet", `convs: at most ${convsMax}`);
  const [infos, members] = await Promise.all([
    store.infos.getMany(convs),
    store.members.getMany(convs.map((conv) => memberKey(conv, uid))),
  ]);
  const views = convs.map((conv) =>
    viewOf({ conv, info: infos.get(conv)?.doc, member: members.get(memberKey(conv, uid))?.doc }, asker),
  );
  return { rooms: views };
}

/** The same of a page of a user's own, as JSON text. */
export async function ownRooms(reading: Reading, asked: RoomsRequest): Promise<string> {
  const { which, after = prefix, limit = limitMax } = asked;
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax)
    throw new AppError("invalid_packet", `limit is 1 to ${limitMax}`);
  const rows: { conv: string; text: string }[] = [];
  let bytes = 0;
  let looked = 0;
  let next: string | undefined;
  for await (const members of membershipPages(reading, {
    asker: { uid: asked.uid },
    after,
    count: () => membershipsAtOnce,
    all: which !== "member",
  })) {
    for (const row of await rowsOf(reading, members.filter(isOwn(asked)), asked)) {
      rows.push(row);
      bytes += Buffer.byteLength(row.text);
    }
    looked += members.length;
    next = members.at(-1)?.conv;
    if (looked >= lookedMax || rows.length > limit || bytes > limits.pageBytes) break;
    next = undefined;
  }
  const texts = rows.slice(0, limit).map(({ text }) => text);
  const count = fittingCount(texts, limits.pageBytes);
  if (count < rows.length) next = rows[count - 1]?.conv;
  return `{"rooms":[${texts.slice(0, count).join(",")}]${next === undefined ? "" : `,"next":${JSON.stringify(next)}`}}`;
}

function isOwn({ which, clientId }: RoomsRequest): (member: Member) => boolean {
  return (member) => {
    const { conv, pending } = member;
    if (!conv.startsWith(prefix)) return false;
    if (isPresent(member)) return which !== "pending" && isThereWith(member, clientId);
    return which !== "member" && pending !== undefined && isThereWith(pending, clientId);
  };
}

async function rowsOf(
  { store }: Reading,
  members: readonly Member[],
  asker: Asker,
): Promise<{ conv: string; text: string }[]> {
  if (members.length === 0) return [];
  const infos = await store.infos.getMany(members.map(({ conv }) => conv));
  return members.map((member) => {
    const { room, ...view } = viewOf({ conv: member.conv, info: infos.get(member.conv)?.doc, member }, asker);
    const { links: _, ...shown } = room ?? { settings: {} };
    return { conv: member.conv, text: JSON.stringify(room ? { ...view, room: shown } : view) };
  });
}

function viewOf(
  { conv, info, member }: { conv: string; info: ConversationInfo | undefined; member: Member | undefined },
  { clientId }: Asker,
): RoomView {
  const view: RoomView = { conv, name: info?.name ?? "" };
  if (info?.room) view.room = info.room;
  if (info?.size) view.members = info.size.members;
  if (!member) return view;
  view.isKnown = true;
  const standing = standingOf(member);
  if (!isThereWith((standing && member.pending) ?? member, clientId)) return view;
  if (standing) return { ...view, standing, ...(member.pending ? { by: member.pending.by } : {}) };
  if (!isPresent(member)) return view;
  const { role, mutedUntil, mode, stays, devices } = member;
  const muted = mutedUntil === undefined ? {} : { mutedUntil };
  const only = devices && { devices: [...devices] };
  view.member = { role, joinSeq: stays.at(-1)?.[0] ?? 1, ...muted, ...(mode && { mode }), ...only };
  return view;
}
