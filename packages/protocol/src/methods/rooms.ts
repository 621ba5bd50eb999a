// Methods that api owns: rooms at their simplest. Membership itself is decided by history, at the log.
import Type from "typebox";
import { Conv, displayText, RoomId, Uid } from "../ids.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;
const RoleName = Type.Union([Type.Literal("owner"), Type.Literal("admin"), Type.Literal("member")]);
const Uids = Type.Array(Uid, { minItems: 1, maxItems: 1_000 });
const RoomSettings = Type.Object(
  {
    join: Type.Optional(
      Type.Union([Type.Literal("open"), Type.Literal("invite")], { description: "who may join; default invite" }),
    ),
  },
  strict,
);
const Room = Type.Object({
  id: RoomId,
  conv: Conv,
  name: Type.String(),
  createdBy: Uid,
  createdAt: Type.Integer(),
  settings: RoomSettings,
});
const Changed = Type.Object({
  seq: Type.Integer({ description: "seq of the membership entry; 0 when nothing changed" }),
  uids: Type.Array(Uid),
});

export const roomsCreate = defineMethod({
  name: "rooms.create",
  owner: "api",
  summary: "A new room; the caller is its owner, the members are added at once.",
  http: { verb: "POST", path: "/rooms" },
  changes: true,
  params: Type.Object(
    {
      id: Type.Optional(RoomId),
      name: displayText({ minLength: 1, maxLength: 128 }),
      members: Type.Optional(Type.Array(Uid, { maxItems: 1_000 })),
      settings: Type.Optional(RoomSettings),
    },
    strict,
  ),
  result: Room,
  errors: ["conflict", "not_found"],
});

export const roomsGet = defineMethod({
  name: "rooms.get",
  owner: "api",
  summary: "One room.",
  http: { verb: "GET", path: "/rooms/{id}" },
  params: Type.Object({ id: RoomId }, strict),
  result: Room,
  errors: ["not_found", "not_member"],
});

export const roomsList = defineMethod({
  name: "rooms.list",
  owner: "api",
  summary: "The rooms the caller is a member of.",
  http: { verb: "GET", path: "/rooms" },
  params: Type.Object({}, strict),
  result: Type.Object({ rooms: Type.Array(Room) }),
});

export const roomsMembers = defineMethod({
  name: "rooms.members",
  owner: "api",
  summary: "The members of a room.",
  http: { verb: "GET", path: "/rooms/{id}/members" },
  params: Type.Object({ id: RoomId }, strict),
  result: Type.Object({ members: Type.Array(Type.Object({ uid: Uid, role: RoleName, joinSeq: Type.Integer() })) }),
  errors: ["not_found", "not_member"],
});

export const roomsInvite = defineMethod({
  name: "rooms.invite",
  owner: "api",
  summary: "Adds members at once. Owners and admins may.",
  http: { verb: "POST", path: "/rooms/{id}/members" },
  changes: true,
  params: Type.Object({ id: RoomId, uids: Uids }, strict),
  result: Changed,
  errors: ["not_found", "not_member", "forbidden"],
});

export const roomsRemove = defineMethod({
  name: "rooms.remove",
  owner: "api",
  summary: "Removes members: `uid` over HTTP, or `uids`. Owners and admins may, an admin no owner.",
  http: { verb: "DELETE", path: "/rooms/{id}/members/{uid}" },
  changes: true,
  params: Type.Object({ id: RoomId, uid: Type.Optional(Uid), uids: Type.Optional(Uids) }, strict),
  result: Changed,
  errors: ["not_found", "not_member", "forbidden"],
});

export const roomsJoin = defineMethod({
  name: "rooms.join",
  owner: "api",
  summary: "The caller joins a room whose `join` is open.",
  http: { verb: "POST", path: "/rooms/{id}/join" },
  changes: true,
  params: Type.Object({ id: RoomId }, strict),
  result: Changed,
  errors: ["not_found", "forbidden"],
});

export const roomsLeave = defineMethod({
  name: "rooms.leave",
  owner: "api",
  summary: "The caller leaves a room.",
  http: { verb: "POST", path: "/rooms/{id}/leave" },
  changes: true,
  params: Type.Object({ id: RoomId }, strict),
  result: Changed,
  errors: ["not_found", "not_member"],
});
