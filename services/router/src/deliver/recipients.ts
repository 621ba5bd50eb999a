// Whom a stored message of a room goes to, by the room's list.
import { type Device, limits, type MembershipEvent, type Recipients } from "@parley/protocol";
import { type CachedList, membersAt, recipientsAmong, staysAt } from "@parley/runtime";

/** A stored message, as far as it says whom it goes to. */
export interface Place {
  seq: number;
  /** seq of the last membership event at it: its own, if it is one */
  memberSeq: number;
  body: Uint8Array;
}

// What each member is told at once, however many they are: how the room is from here on.
const toldToAll: ReadonlySet<string> = new Set(["create", "update", "archive", "unarchive", "delete", "transfer"]);

/**
 * All whose stay holds it, and devices that go out by it. In a broadcast room of more members than other rooms may have, who comes and goes is told live only to
 * those it is about, owners and admins: the others have it by sync and history.
 */
export function recipientsOf(list: CachedList, { seq, memberSeq, body }: Place): Recipients {
  const to = membersAt(list, seq);
  const isLarge = to.users.length + to.devices.length > limits.roomMembers;
  if (seq !== memberSeq || (!isLarge && to.devices.length === 0)) return to;
  const event = eventIn(body);
  const told = isLarge && !toldToAll.has(event.event) ? concerned(list, seq, event) : to;
  const gone = goneBy(event);
  return gone.length === 0 ? told : { ...told, devices: [...told.devices, ...gone] };
}

function concerned(list: CachedList, seq: number, { by, uids }: MembershipEvent): Recipients {
  const about = new Set([by, ...uids]);
  return recipientsAmong(
    list,
    seq,
    (member) => staysAt(member, seq) && (member.role !== "member" || about.has(member.uid)),
  );
}

// The list is of behind the event: they are not in it any more.
function goneBy({ event, way, devices = {} }: MembershipEvent): Device[] {
  if (event !== "devices" || way !== "out") return [];
  return Object.entries(devices).flatMap(([uid, named]) => (named ?? []).map((clientId) => ({ uid, clientId })));
}

function eventIn(body: Uint8Array): MembershipEvent {
  return JSON.parse(Buffer.from(body).toString()).content.data;
}
