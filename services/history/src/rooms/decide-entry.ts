// How users come into a room and go out of it by their own will or by invitation.
import {
  AppError,
  type ChangeRequest,
  isThereWith,
  limits,
  type MemberModes,
  type MembershipEvent,
  type RoomLink,
} from "@parley/protocol";
import { clientIdOf } from "../fold/devices.ts";
import { isMember, isPresent } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { broughtIn, devicesAmong, devicesPending, given, moreDevices, reachOf } from "./decide-devices.ts";
import { withSuccessor } from "./decide-successor.ts";
import { may } from "./rights.ts";
import { allowed, countMembers, type Decide, type Decided, notMember, type Room, refuse, stateOf } from "./room.ts";

const create: Decide = ({ blockers }, { event, askFirst = [] }) => {
  const { by, name = "", room = { settings: {} } } = event;
  const others = event.uids.filter((uid) => uid !== by);
  const unwilling = others.find((uid) => blockers?.has(uid));
  if (unwilling !== undefined) return takesNone(unwilling);
  const first = new Set(room.settings.invitations === "ask" ? others : askFirst);
  const [uids, invited] = [others.filter((uid) => !first.has(uid)), others.filter((uid) => first.has(uid))];
  const [modes, devices] = [modesAmong(event, others), devicesAmong(event, others)];
  return { event: "create", by, uids, name, room, ...modes, ...devices, ...(invited.length > 0 ? { invited } : {}) };
};

// Those who come in, or are asked to.
function modesAmong({ modes }: MembershipEvent, uids: readonly string[]): { modes?: MemberModes } {
  const among = (named: readonly string[] = []) => uids.filter((uid) => named.includes(uid));
  const [read, write] = [among(modes?.read), among(modes?.write)];
  if (read.length + write.length === 0) return {};
  return { modes: { ...(read.length > 0 && { read }), ...(write.length > 0 && { write }) } };
}

const join: Decide = (room, request, { by, now }) => {
  const { event, linkHash } = request;
  const state = stateOf(room, request);
  if (by && isPresent(by)) return joinWithMore(room, request, by, now);
  if (by?.banned) return refuse("you are banned from this room", "banned");
  if (state.archived) return archived();
  const pending = by?.pending && isThereWith(by.pending, clientIdOf(request)) ? by.pending : undefined;
  const named = { ...(pending && devicesPending(room, [event.by])), ...devicesAmong(event, [event.by]) };
  const joined: MembershipEvent = { event: "join", by: event.by, uids: [event.by], ...reachOf(room), ...named };
  if (linkHash !== undefined) {
    const link = goodLink(room, linkHash, now);
    return link ? { ...joined, link: link.id } : refuse("this invite link is not good, or no longer", "link");
  }
  if (pending?.as === "invited" || state.settings.join === "open") return joined;
  if (state.settings.join !== "ask") return refuse("this room takes members by invitation only", "join");
  if (by?.pending?.as === "asking") return undefined;
  return (
    roomForOutsiders(room, 1) ?? { event: "ask", by: event.by, uids: [event.by], ...devicesAmong(event, [event.by]) }
  );
};

// Who is there with some devices brings in more of them where it could bring in others, or come in itself.
function joinWithMore(room: Room, request: ChangeRequest, by: Member, now: number): Decided {
  const { event, linkHash } = request;
  const more = moreDevices(room, event, [by.uid]);
  if (more instanceof AppError || Object.keys(more).length === 0) return more instanceof AppError ? more : undefined;
  const state = stateOf(room, request);
  if (state.archived) return archived();
  const isInside = isThereWith(by, clientIdOf(request)) && may(state, by, "invite");
  const isGood = linkHash !== undefined && goodLink(room, linkHash, now) !== undefined;
  if (isInside || isGood || state.settings.join === "open") return broughtIn(room, by.uid, more);
  return refuse("this room takes more of your devices by invitation only", "join");
}

/** True for a link of the room, also one that is good no more. */
export function namesLink({ room }: Room, { linkHash }: ChangeRequest): boolean {
  return linkHash !== undefined && room?.links?.some(({ hash }) => hash === linkHash) === true;
}

function goodLink(room: Room, hash: string, now: number): RoomLink | undefined {
  const link = room.room?.links?.find((one) => one.hash === hash);
  if (!link || (link.expiresAt ?? Number.POSITIVE_INFINITY) <= now) return undefined;
  if (link.uses === undefined) return link;
  const used = countMembers(room.members, (member) => member.link === link.id);
  return used < link.uses ? link : undefined;
}

const invite = allowed("invite", (room, request, { uid: by }) => {
  const { askFirst = [], passOver, event } = request;
  const { archived: isArchived, settings } = stateOf(room, request);
  if (isArchived) return archived();
  const asked = event.uids.filter((uid) => !isMember(room.members.get(uid)));
  const isUnwilling = (uid: string) => room.members.get(uid)?.blocks || room.blockers?.has(uid);
  const strangers = passOver ? asked.filter((uid) => !isUnwilling(uid)) : asked;
  for (const uid of strangers) {
    if (room.members.get(uid)?.banned) return refuse(`${uid} is banned from this room`, "banned");
    if (isUnwilling(uid)) return takesNone(uid);
  }
  const isAsking = (uid: string) => room.members.get(uid)?.pending?.as === "asking";
  const first = new Set(settings.invitations === "ask" ? strangers : askFirst);
  const invited = strangers.filter(
    (uid) => first.has(uid) && !isAsking(uid) && room.members.get(uid)?.pending?.as !== "invited",
  );
  const uids = strangers.filter((uid) => !first.has(uid) || isAsking(uid));
  const more = moreDevices(room, event, event.uids);
  if (more instanceof AppError) return more;
  if (uids.length + invited.length === 0) return broughtIn(room, by, more);
  const fresh = [...uids, ...invited];
  const devices = given({ ...devicesAmong(event, fresh).devices, ...more });
  const added: MembershipEvent = {
    event: "invite",
    by,
    uids,
    ...reachOf(room),
    ...modesAmong(event, fresh),
    ...devices,
  };
  if (invited.length === 0) return added;
  return roomForOutsiders(room, invited.length) ?? { ...added, invited };
});

const admit = allowed("admit", (room, { event }, { uid: by }) => {
  const uids = event.uids.filter((uid) => room.members.get(uid)?.pending?.as === "asking");
  return uids.length === 0 ? undefined : { event: "admit", by, uids, ...reachOf(room), ...devicesPending(room, uids) };
});

const refuseOthers = allowed("admit", (room, { event }, { uid: by }) => {
  const uids = event.uids.filter((uid) => room.members.get(uid)?.pending);
  return uids.length === 0 ? undefined : { event: "refuse", by, uids };
});

// One's own: an invitation, or having asked.
const refuseEntry: Decide = (room, request, asked) => {
  const { by, uids } = request.event;
  if (uids.some((uid) => uid !== by)) return refuseOthers(room, request, asked);
  return asked.by?.pending ? { event: "refuse", by, uids: [by] } : undefined;
};

const leave: Decide = (room, { event }, { by }) => {
  if (!isMember(by)) return notMember();
  return withSuccessor(room, by, event.owner, { event: "leave", by: by.uid, uids: [by.uid] });
};

const block: Decide = (room, { event }, { by }) => {
  if (!by) return notMember();
  if (by.blocks) return undefined;
  const blocked: MembershipEvent = { event: "block", by: by.uid, uids: [by.uid] };
  return isMember(by) ? withSuccessor(room, by, event.owner, blocked) : blocked;
};

const unblock: Decide = (_room, { event: { by: uid } }, { by }) => {
  return by?.blocks ? { event: "unblock", by: uid, uids: [uid] } : undefined;
};

export const decideEntry = { create, join, invite, admit, refuse: refuseEntry, leave, block, unblock } as const;

// The same word whether the room is blocked or the asker: who blocked whom is nobody's to know.
function takesNone(uid: string): AppError {
  return new AppError("blocked", `${uid} does not take this invitation`);
}

function roomForOutsiders(room: Room, more: number): AppError | undefined {
  const pending = countMembers(room.members, (member) => member.pending !== undefined);
  if (pending + more <= limits.roomOutsiders) return undefined;
  return new AppError("conflict", `${limits.roomOutsiders} users are invited or ask already`);
}

export function archived(): AppError {
  return refuse("the room is archived", "archived");
}
