// Methods that api owns: what a room is. Who is in it stands in members.ts. Every change is decided by history, at the log.
import Type from "typebox";
import { Avatar } from "../avatar.ts";
import { AnyClientId, Conv, displayText, linesText, nameText, RoomId, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { MemberDevices, MemberMode, NestedRoom, OneSidedMode, RoleName, RoomChanged, RoomSettings } from "../rooms.ts";
import { defineMethod } from "./method.ts";
import { Next, pagePlace } from "./pages.ts";

const strict = { additionalProperties: false } as const;
const name = nameText({ minLength: 1, maxLength: 128 });
const texts = {
  nick: nameText({ minLength: 1, maxLength: 128 }),
  avatar: Avatar,
  description: linesText({ maxLength: 1_024 }),
  topic: displayText({ maxLength: 256 }),
  group: displayText({ maxLength: 64 }),
};
const orNull = (text: (typeof texts)[keyof typeof texts]) =>
  Type.Optional(Type.Union([text, Type.Null()], { description: "null takes it away" }));

/** SlimChat draft, Room: id, name, nick, group, avatar; the last two are empty where nothing was given. */
const Room = Type.Object({
  id: RoomId,
  conv: Conv,
  name: Type.String(),
  nick: Type.String({ description: "what it is called beside its name; the name where nothing was given" }),
  group: Type.String(),
  avatar: Type.String(),
  topic: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  createdBy: Uid,
  createdAt: Type.Integer(),
  settings: RoomSettings,
  archived: Type.Optional(Type.Literal(true)),
  members: Type.Optional(Type.Integer({ description: "how many; absent where nothing has changed since an upgrade" })),
  role: Type.Optional(Type.Union(RoleName.anyOf, { description: "the caller's; absent: no member" })),
  joinSeq: Type.Optional(Type.Integer({ description: "the first message of the caller's stay" })),
  mutedUntil: Type.Optional(
    Type.Union([Type.Integer(), Type.Null()], {
      description: "unix ms: until when the caller may not write; null: until that is taken back",
    }),
  ),
  mode: Type.Optional(Type.Union(OneSidedMode.anyOf, { description: "what the caller may; absent: read and write" })),
  devices: Type.Optional(
    Type.Array(AnyClientId, { description: "the caller's devices that are in it; absent: all of them" }),
  ),
  nested: Type.Optional(
    Type.Array(NestedRoom, { description: "rooms that what is said here goes on to; told to members alone" }),
  ),
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
      name,
      ...Type.Partial(Type.Object(texts)).properties,
      members: Type.Optional(Type.Array(Uid, { maxItems: limits.roomMembers - 1 })),
      modes: Type.Optional(
        Type.Object(
          {
            read: Type.Optional(Type.Array(Uid, { maxItems: limits.roomMembers - 1 })),
            write: Type.Optional(Type.Array(Uid, { maxItems: limits.roomMembers - 1 })),
          },
          { ...strict, description: "of the members those who only read, and those who only write" },
        ),
      ),
      devices: Type.Optional(MemberDevices),
      nested: Type.Optional(
        Type.Array(NestedRoom, {
          maxItems: limits.nestedRooms,
          description: "rooms that what is said in it goes on to, of which the caller is an owner or admin",
        }),
      ),
      settings: Type.Optional(RoomSettings),
    },
    strict,
  ),
  result: Room,
  errors: ["conflict", "not_found", "blocked", "forbidden"],
});

export const roomsGet = defineMethod({
  name: "rooms.get",
  owner: "api",
  summary: "One room: for its members, who is invited, and for everybody where anybody may join or ask to.",
  http: { verb: "GET", path: "/rooms/{id}" },
  params: Type.Object({ id: RoomId }, strict),
  result: Room,
  errors: ["not_found", "not_member"],
});

export const roomsList = defineMethod({
  name: "rooms.list",
  owner: "api",
  summary: "The rooms the caller is a member of, by their ids.",
  http: { verb: "GET", path: "/rooms" },
  params: Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: "default 500" })),
      page: pagePlace(RoomId),
    },
    strict,
  ),
  result: Type.Object({
    rooms: Type.Array(Room),
    next: Next,
  }),
});

export const roomsUpdate = defineMethod({
  name: "rooms.update",
  owner: "api",
  summary: "Changes what is given: the name, texts, single settings. Owners and admins may.",
  http: { verb: "PUT", path: "/rooms/{id}" },
  changes: true,
  params: Type.Object(
    {
      id: RoomId,
      name: Type.Optional(name),
      nick: orNull(texts.nick),
      avatar: orNull(texts.avatar),
      description: orNull(texts.description),
      topic: orNull(texts.topic),
      group: orNull(texts.group),
      settings: Type.Optional(RoomSettings),
    },
    strict,
  ),
  result: Room,
  errors: ["not_found", "not_member", "forbidden", "conflict"],
});

export const roomsArchive = defineMethod({
  name: "rooms.archive",
  owner: "api",
  summary: "Nothing is written in the room any more, nobody comes in; it can be read and left. Owners may.",
  http: { verb: "POST", path: "/rooms/{id}/archive" },
  changes: true,
  params: Type.Object({ id: RoomId }, strict),
  result: RoomChanged,
  errors: ["not_found", "not_member", "forbidden"],
});

export const roomsUnarchive = defineMethod({
  name: "rooms.unarchive",
  owner: "api",
  summary: "Takes an archived room into use again. Owners may.",
  http: { verb: "POST", path: "/rooms/{id}/unarchive" },
  changes: true,
  params: Type.Object({ id: RoomId }, strict),
  result: RoomChanged,
  errors: ["not_found", "not_member", "forbidden"],
});

export const roomsDelete = defineMethod({
  name: "rooms.delete",
  owner: "api",
  summary:
    "Ends the room: its members are told, and nobody reads anything of it again. Its id stays taken. Owners may.",
  http: { verb: "DELETE", path: "/rooms/{id}" },
  changes: true,
  params: Type.Object({ id: RoomId }, strict),
  result: RoomChanged,
  errors: ["not_found", "not_member", "forbidden"],
});

const Rooms = Type.Array(RoomId, { minItems: 1, maxItems: limits.nestedRooms });
const NestedChanged = Type.Object({
  ...RoomChanged.properties,
  rooms: Type.Array(RoomId, { description: "which it changed" }),
});

export const roomsNest = defineMethod({
  name: "rooms.nest",
  owner: "api",
  summary:
    "What is said in the room goes on to these rooms from here on; of one that it goes to already the mode changes. Owners and admins of both may.",
  http: { verb: "POST", path: "/rooms/{id}/nested" },
  changes: true,
  params: Type.Object({ id: RoomId, rooms: Rooms, mode: Type.Optional(MemberMode) }, strict),
  result: NestedChanged,
  errors: ["not_found", "not_member", "forbidden", "conflict"],
});

export const roomsUnnest = defineMethod({
  name: "rooms.unnest",
  owner: "api",
  summary: "What is said in the room goes on to these rooms no more. Owners and admins of either may.",
  http: { verb: "POST", path: "/rooms/{id}/unnest" },
  changes: true,
  params: Type.Object({ id: RoomId, rooms: Rooms }, strict),
  result: NestedChanged,
  errors: ["not_found", "not_member", "forbidden"],
});

const Link = {
  id: Type.String(),
  createdBy: Uid,
  createdAt: Type.Integer({ description: "unix ms" }),
  expiresAt: Type.Optional(Type.Integer({ description: "unix ms" })),
  uses: Type.Optional(Type.Integer({ description: "how many users it lets in" })),
};

export const roomsMakeLink = defineMethod({
  name: "rooms.makeLink",
  owner: "api",
  summary: "An invite link: whoever has `link` joins with it. It is shown only now. Owners and admins may.",
  http: { verb: "POST", path: "/rooms/{id}/links" },
  changes: true,
  params: Type.Object(
    {
      id: RoomId,
      seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000, description: "default: it stays good" })),
      uses: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: limits.broadcastMembers,
          description: "how many users it lets in; default: any",
        }),
      ),
    },
    strict,
  ),
  result: Type.Object({ ...Link, link: Type.String({ description: "43 characters, for rooms.join" }) }),
  errors: ["not_found", "not_member", "forbidden", "conflict"],
});

export const roomsLinks = defineMethod({
  name: "rooms.links",
  owner: "api",
  summary: "The room's invite links, without their secrets. Owners and admins may.",
  http: { verb: "GET", path: "/rooms/{id}/links" },
  params: Type.Object({ id: RoomId }, strict),
  result: Type.Object({ links: Type.Array(Type.Object(Link)) }),
  errors: ["not_found", "not_member", "forbidden"],
});

export const roomsRemoveLink = defineMethod({
  name: "rooms.removeLink",
  owner: "api",
  summary: "Ends an invite link: nobody joins with it any more. Owners and admins may.",
  http: { verb: "DELETE", path: "/rooms/{id}/links/{link}" },
  changes: true,
  params: Type.Object(
    { id: RoomId, link: Type.String({ pattern: "^[a-z2-7]{12}$", description: "the link's id" }) },
    strict,
  ),
  result: RoomChanged,
  errors: ["not_found", "not_member", "forbidden"],
});
