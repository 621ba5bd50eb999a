// Who may change a room, and the event that a change comes to: decided on the log's own state, as of the entry before.
import {
  AppError,
  type ChangeRequest,
  devicesNamed,
  isJoinable,
  isThereWith,
  type MembershipEvent,
  namedMembers,
  noConversation,
  parseConv,
  wayOf,
} from "@parley/protocol";
import { clientIdOf } from "../fold/devices.ts";
import { isMember, isPresent, thereWithOthers } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { decideDevices } from "./decide-devices.ts";
import { decideEntry, namesLink } from "./decide-entry.ts";
import { decideExpiry } from "./decide-expiry.ts";
import { decideNest, managesNested } from "./decide-nest.ts";
import { decidePin } from "./decide-pin.ts";
import { decideProfile } from "./decide-profile.ts";
import { decideStanding } from "./decide-standing.ts";
import { mostMembers } from "./rights.ts";
import { countMembers, type Decide, type Decided, presentIn, type Room, stateOf } from "./room.ts";

const deciders: Readonly<Partial<Record<MembershipEvent["event"], Decide>>> = {
  ...decideEntry,
  ...decideDevices,
  ...decideStanding,
  ...decideProfile,
  ...decidePin,
  ...decideExpiry,
  ...decideNest,
};

/** The event that a change comes to, undefined when it changes nothing, or the refusal. `now`: unix ms. */
export function decideChange(room: Room, request: ChangeRequest, now: number): Decided {
  const { event } = request;
  const refused = refuseDirect(room.conv, event);
  if (refused) return refused;
  const isNew = event.event === "create";
  if (isNew && room.lastSeq > 0) return new AppError("conflict", "the room exists already");
  const by = room.members.get(event.by);
  if (!isNew && isHidden(room, request, by)) return noConversation(room.conv);
  // Who comes in with this device too asks as others do.
  const isElsewhere = isMember(by) && !isThereWith(by, clientIdOf(request));
  if (isElsewhere && event.event !== "join") return thereWithOthers();
  const decide = deciders[event.event];
  if (!decide) return new AppError("invalid_packet", `unknown change ${JSON.stringify(event.event)}`);
  const uids = [...new Set(event.uids)];
  const decided = decide(room, { ...request, event: { ...event, uids } }, { by, now });
  if (decided === undefined || decided instanceof AppError || keepsMembers(decided)) return decided;
  return counted(room, decided);
}

// From who had nothing to do with a room that asks nobody in; a link, which its members gave, shows it.
function isHidden(room: Room, request: ChangeRequest, by: Member | undefined): boolean {
  const { lastSeq, conv } = room;
  if (lastSeq === 0 || room.room?.deleted) return true;
  if (by || !conv.startsWith("room/")) return false;
  if (request.event.event === "unnest" && managesNested(room, request.manages)) return false;
  return !isJoinable(stateOf(room, request)) && !namesLink(room, request);
}

/** True for what changes nothing of who is a member. */
export function keepsMembers({ event }: MembershipEvent): boolean {
  return event === "pin" || event === "unpin" || event === "expiry";
}

// Between two users there is nothing to change but pins and when messages disappear; who is none of them is not told whether they ever wrote.
function refuseDirect(conv: string, event: MembershipEvent): AppError | undefined {
  const parsed = parseConv(conv);
  const named = parsed && namedMembers(parsed);
  if (!named) return undefined;
  if (!keepsMembers(event)) return new AppError("invalid_packet", "the conversation is no room");
  return named.includes(event.by) ? undefined : new AppError("not_member");
}

// A room of today's bound may be larger than it: only what adds members is refused then.
function counted(room: Room, event: MembershipEvent): Decided {
  const present = presentIn(room);
  const most = mostMembers(event.event === "create" ? event.room : room.room);
  const way = wayOf(event.event);
  const moved = way === "in" ? event.uids.length + (event.event === "create" && !event.room?.guests ? 1 : 0) : 0;
  if (moved > 0 && present + moved > most) return new AppError("conflict", `the room is full: ${most} members`);
  const left = way === "out" ? event.uids.filter((uid) => isMember(room.members.get(uid))).length : 0;
  const members = event.event === "delete" ? 0 : present + moved - left;
  const mayEnd = left > 0 || event.way === "out" || event.event === "unnest" || event.event === "refuse";
  if (mayEnd && areTooFew(room, event, members))
    return {
      event: "delete",
      by: event.by,
      uids: [],
      name: room.name,
      room: { settings: {}, deleted: true },
      members: 0,
    };
  return members === present && room.size ? event : { ...event, members };
}

// Of who is there with some devices each of them counts. `members`: behind the event.
function areTooFew({ room, members: known }: Room, event: MembershipEvent, members: number): boolean {
  const least = room?.settings.leastMembers ?? 0;
  if (members >= least) return false;
  // Rooms that it goes on to count as those who are in it do.
  const nested = (event.room ?? room)?.nested?.length ?? 0;
  const gone = wayOf(event.event) === "out" ? event.uids : [];
  const isAsked = ({ uid, pending }: Member) => pending?.as === "invited" && !event.uids.includes(uid);
  let count =
    members +
    nested +
    // Where somebody refuses, the others who are asked may still come in.
    (event.event === "refuse" ? countMembers(known, isAsked) : 0) -
    (event.event === "devices" ? (devicesNamed(event.devices, event.uids[0] ?? "")?.length ?? 0) : 0);
  for (const member of known.values())
    if (member.devices && isPresent(member) && !gone.includes(member.uid)) count += member.devices.length - 1;
  return count < least;
}
