// Whom a stored message of a room goes to, by the room's list.
import { limits, type MembershipEvent, type Recipients } from "@parley/protocol";
import { type CachedList, membersAt, staysAt } from "./members.ts";

interface Stored {
  seq: number;
  /** seq of the last membership event at it: its own, if it is one */
  memberSeq: number;
  body: Uint8Array;
}

// What each member is told at once, however many they are: how the room is from here on.
const toldToAll: ReadonlySet<string> = new Set(["create", "update", "archive", "unarchive", "delete", "transfer"]);

/**
 * All whose stay holds it. In a broadcast room of more members than other rooms may have, who comes and goes is told live only to
 * those it is about, owners and admins: the others have it by sync and history.
 */
export function recipientsOf(list: CachedList, { seq, memberSeq, body }: Stored): Recipients {
  const to = membersAt(list, seq);
  if (seq !== memberSeq || to.users.length <= limits.roomMembers) return to;
  const { event, by, uids } = eventIn(body);
  if (toldToAll.has(event)) return to;
  const about = new Set([by, ...uids]);
  const told = list.members.filter(
    (member) => staysAt(member, seq) && (member.role !== "member" || about.has(member.uid)),
  );
  return { ...to, users: told.map(({ uid }) => uid) };
}

function eventIn(body: Uint8Array): MembershipEvent {
  return JSON.parse(Buffer.from(body).toString()).content.data;
}
