// How users have the conversations that notifications are about, and how much they have not read in all of theirs.
import { isThereWith, type PushAsked } from "@parley/protocol";
import { asSeenWith } from "../../fold/devices.ts";
import { isMember, unreadOf } from "../../fold/members.ts";
import { type Member, memberKey } from "../../keep/store.ts";
import type { End } from "../ends/end.ts";
import { complete, keptMembershipsOf, look, type Reading } from "../reading.ts";

export interface KnownUsers {
  /** How the user has that conversation, as the log has it now. */
  member(conv: string, uid: string): Member | undefined;
  end(conv: string): End | undefined;
  /** Of all conversations that the user is in; with a device, of those that the user is in with it. */
  unread(uid: string, clientId?: string): number;
  /** True if the user is somewhere with some of its devices only. */
  isLimited(uid: string): boolean;
}

interface Row {
  member: Member;
  head: End | undefined;
}

/** In the order in which whatever moves meanwhile is seen: marks, then documents, then the ends of the log, then what lies between. */
export async function knownUsers(reading: Reading, asked: readonly PushAsked[]): Promise<KnownUsers> {
  const sight = await look(reading);
  const uids = [...new Set(asked.map(({ uid }) => uid))];
  const memberships = await Promise.all(uids.map((uid) => keptMembershipsOf(reading, uid)));
  const own = new Map(uids.map((uid, at) => [uid, (memberships[at] ?? []).filter(isMember)]));
  const others = await othersOf(reading, asked, own);
  const convs = new Set(asked.map(({ conv }) => conv));
  for (const members of own.values()) for (const { conv } of members) convs.add(conv);
  const ends = await reading.ends.of(convs);
  const rowOf = (member: Member): Row => ({ member, head: ends.get(member.conv) });
  const rows = new Map([...own].map(([uid, members]) => [uid, members.map(rowOf)]));
  const rest = others.map(rowOf);
  const behind = [...rows.values(), rest].flat().filter(({ head }) => head && head.pos > sight.folded(head.q));
  await complete(reading, sight, behind);
  const byKey = new Map(rest.map(({ member }) => [memberKey(member.conv, member.uid), member]));
  return {
    member: (conv, uid) =>
      rows.get(uid)?.find(({ member }) => member.conv === conv)?.member ?? byKey.get(memberKey(conv, uid)),
    end: (conv) => ends.get(conv),
    unread: (uid, clientId) => unreadOfAll(rows.get(uid) ?? [], clientId),
    isLimited: (uid) => (rows.get(uid) ?? []).some(({ member }) => member.devices ?? member.deviceJoins),
  };
}

// Of who is invited, or was there once: no conversation of the user's list.
async function othersOf(
  { store }: Reading,
  asked: readonly PushAsked[],
  own: ReadonlyMap<string, readonly Member[]>,
): Promise<Member[]> {
  const missing = asked.filter(({ conv, uid }) => !own.get(uid)?.some((member) => member.conv === conv));
  if (missing.length === 0) return [];
  const found = await store.members.getMany([...new Set(missing.map(({ conv, uid }) => memberKey(conv, uid)))]);
  return [...found.values()].map(({ doc }) => doc);
}

// The same as all rows of the user's list, or of that device's, together.
function unreadOfAll(rows: readonly Row[], clientId: string | undefined): number {
  let unread = 0;
  for (const { member, head } of rows)
    if (isMember(member) && isThereWith(member, clientId))
      unread += unreadOf(asSeenWith(member, clientId), head?.ord ?? 0, head?.recalled ?? []);
  return unread;
}
