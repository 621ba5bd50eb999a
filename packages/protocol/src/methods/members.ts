// Methods that api owns: who is in a room and as what. Every change is decided by history, at the log.
import Type, { type TProperties } from "typebox";
import type { ErrorCode } from "../errors.ts";
import { AnyClientId, Conv, RoomId, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import {
  MemberDevices,
  MemberMode,
  OneSidedMode,
  RoleName,
  RoomChanged,
  RoomInvitations,
  StandingName,
} from "../rooms.ts";
import { defineMethod } from "./method.ts";
import { Next, pagePlace } from "./pages.ts";

const strict = { additionalProperties: false } as const;
const Uids = Type.Array(Uid, { minItems: 1, maxItems: 1_000 });
const Changed = Type.Object({
  ...RoomChanged.properties,
  uids: Type.Array(Uid, { description: "whom it changed" }),
});

/** A change of who is in a room and as what. */
function memberChange<Fields extends TProperties>(
  verb: string,
  { summary, http, fields, errors = ["forbidden"] }: MemberChange<Fields>,
) {
  return defineMethod({
    name: `rooms.${verb}`,
    owner: "api",
    summary,
    http: { ...http, path: `/rooms/{id}${http.path}` },
    changes: true,
    params: Type.Object({ id: RoomId, ...fields }, strict),
    result: Changed,
    errors: ["not_found", "not_member", ...errors],
  });
}

interface MemberChange<Fields> {
  summary: string;
  /** `path`: behind the room's */
  http: { verb: "POST" | "DELETE" | "PUT"; path: string };
  fields: Fields;
  errors?: ErrorCode[];
}

export const roomsMembers = defineMethod({
  name: "rooms.members",
  owner: "api",
  summary:
    "The members of a room, by their uids, with what they are called. With `standing` those who are banned, invited or ask to be let in: for owners and admins.",
  http: { verb: "GET", path: "/rooms/{id}/members" },
  params: Type.Object(
    {
      id: RoomId,
      standing: Type.Optional(StandingName),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: "default 1,000" })),
      page: pagePlace(Uid),
    },
    strict,
  ),
  result: Type.Object({
    members: Type.Array(
      Type.Object({
        uid: Uid,
        name: Type.String({ description: "of the user's profile, where the caller may see it; else the uid" }),
        nick: Type.String({
          description: "the caller's own name for the user, else the profile's nick, else the name",
        }),
        avatar: Type.String(),
        role: RoleName,
        joinSeq: Type.Integer({ description: "the first message of its stay; 0: it is no member" }),
        mutedUntil: Type.Optional(Type.Union([Type.Integer(), Type.Null()], { description: "unix ms; null: no end" })),
        mode: Type.Optional(Type.Union(OneSidedMode.anyOf, { description: "absent: it reads and writes" })),
        devices: Type.Optional(
          Type.Array(AnyClientId, { description: "it is there with these devices only; absent: with all" }),
        ),
      }),
    ),
    next: Next,
  }),
  errors: ["not_found", "not_member", "forbidden"],
});

export const roomsInvite = defineMethod({
  name: "rooms.invite",
  owner: "api",
  summary:
    "Adds members at once, or asks them first where the room's or their own setting says so. The room's setting says who may. Of a member who is there with some devices only, those in `devices` come to them; without that all of its devices are in.",
  http: { verb: "POST", path: "/rooms/{id}/members" },
  changes: true,
  params: Type.Object(
    { id: RoomId, uids: Uids, mode: Type.Optional(MemberMode), devices: Type.Optional(MemberDevices) },
    strict,
  ),
  result: Type.Object({
    ...Changed.properties,
    invited: Type.Optional(Type.Array(Uid, { description: "who is asked, and no member yet" })),
    more: Type.Optional(Type.Array(Uid, { description: "of the uids members of whom more devices came in" })),
  }),
  errors: ["not_found", "not_member", "forbidden", "blocked", "conflict"],
});

export const roomsRemove = memberChange("remove", {
  summary: "Removes members: `uid` over HTTP, or `uids`. Owners and admins may, an admin no owner.",
  http: { verb: "DELETE", path: "/members/{uid}" },
  fields: { uid: Type.Optional(Uid), uids: Type.Optional(Uids) },
});

export const roomsJoin = defineMethod({
  name: "rooms.join",
  owner: "api",
  summary:
    "The caller joins a room that is open, that invited it, or with an invite link; where joining is by asking, it asks.",
  http: { verb: "POST", path: "/rooms/{id}/join" },
  changes: true,
  params: Type.Object(
    {
      id: RoomId,
      link: Type.Optional(Type.String({ pattern: "^[0-9a-zA-Z_\\-]{43}$" })),
      devices: Type.Optional(
        Type.Array(AnyClientId, {
          minItems: 1,
          maxItems: limits.memberDevices,
          uniqueItems: true,
          description: "the caller's devices that come in; default: all, or those that were invited",
        }),
      ),
    },
    strict,
  ),
  result: Type.Object({
    ...Changed.properties,
    asking: Type.Optional(Type.Literal(true, { description: "the caller waits to be let in" })),
  }),
  errors: ["not_found", "forbidden", "conflict"],
});

export const roomsLeave = memberChange("leave", {
  summary:
    "The caller leaves a room. The last owner is followed by `successor`, else by the longest-standing admin, else member.",
  http: { verb: "POST", path: "/leave" },
  fields: { successor: Type.Optional(Uid) },
});

export const roomsSetRole = memberChange("setRole", {
  summary: "Gives a member a role. Owners may; a room keeps at least one.",
  http: { verb: "PUT", path: "/members/{uid}" },
  fields: { uid: Uid, role: RoleName },
});

export const roomsTransfer = memberChange("transfer", {
  summary: "Hands the room over to a member, who becomes its owner; the caller is an admin from then on.",
  http: { verb: "POST", path: "/transfer" },
  fields: { uid: Uid },
});

export const roomsBan = memberChange("ban", {
  summary: "Removes users who are members, and keeps all of them out. Owners and admins may, an admin no owner.",
  http: { verb: "POST", path: "/bans" },
  fields: { uids: Uids },
  errors: ["forbidden", "conflict"],
});

export const roomsUnban = memberChange("unban", {
  summary: "Lets a user come in again, who is no member by it. Owners and admins may.",
  http: { verb: "DELETE", path: "/bans/{uid}" },
  fields: { uid: Uid },
});

export const roomsMute = memberChange("mute", {
  summary:
    "A member may not write, for so many seconds or until that is taken back. Owners and admins may, an admin no owner.",
  http: { verb: "POST", path: "/members/{uid}/mute" },
  fields: { uid: Uid, seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })) },
});

export const roomsUnmute = memberChange("unmute", {
  summary: "A muted member may write again. Owners and admins may.",
  http: { verb: "POST", path: "/members/{uid}/unmute" },
  fields: { uid: Uid },
});

export const roomsSetMode = memberChange("setMode", {
  summary: "Says what a member may: read, write, or both. Owners and admins may, an admin not of an owner.",
  http: { verb: "PUT", path: "/members/{uid}/mode" },
  fields: { uid: Uid, mode: MemberMode },
});

export const roomsRemoveDevice = memberChange("removeDevice", {
  summary:
    "Takes one device out of those with which alone a member is in the room; with the last one the member goes. Owners and admins may, an admin not of an owner; everybody its own.",
  http: { verb: "DELETE", path: "/members/{uid}/devices/{clientId}" },
  fields: { uid: Uid, clientId: AnyClientId },
  errors: ["forbidden", "conflict"],
});

export const roomsAdmit = memberChange("admit", {
  summary: "Lets in who asked. Owners and admins may.",
  http: { verb: "POST", path: "/admit" },
  fields: { uids: Uids },
  errors: ["forbidden", "conflict"],
});

export const roomsRefuse = memberChange("refuse", {
  summary:
    "Without `uids` the caller does not take its invitation, or no longer asks. Owners and admins refuse others, who asked or were invited.",
  http: { verb: "POST", path: "/refuse" },
  fields: { uids: Type.Optional(Uids) },
});

export const roomsBlock = memberChange("block", {
  summary: "The caller, who is or was a member or is invited, leaves the room and cannot be invited to it again.",
  http: { verb: "POST", path: "/block" },
  fields: {},
  errors: [],
});

export const roomsUnblock = memberChange("unblock", {
  summary: "The caller may be invited to the room again.",
  http: { verb: "POST", path: "/unblock" },
  fields: {},
  errors: [],
});

export const roomsInvitations = defineMethod({
  name: "rooms.invitations",
  owner: "api",
  summary: "The rooms that the caller is invited to, and those that it asked to be let into.",
  http: { verb: "GET", path: "/invitations" },
  params: Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: "default 500" })),
      page: pagePlace(RoomId),
    },
    strict,
  ),
  result: Type.Object({
    invitations: Type.Array(
      Type.Object({ id: RoomId, conv: Conv, name: Type.String(), by: Uid, standing: StandingName }),
    ),
    next: Next,
  }),
});

export const roomsSetInvitations = defineMethod({
  name: "rooms.setInvitations",
  owner: "api",
  summary:
    "Whether the caller is a member at once when it is invited to a room (the default), or is asked first; profile.get tells.",
  http: { verb: "PUT", path: "/invitations" },
  changes: true,
  params: Type.Object({ invitations: RoomInvitations }, strict),
  result: Type.Object({}),
});
