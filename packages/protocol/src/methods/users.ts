// Methods that api owns: profiles, one's own and others', and finding people.
import Type, { type Static } from "typebox";
import { Avatar } from "../avatar.ts";
import { displayText, nameText, Uid } from "../ids.ts";
import { RoomInvitations } from "../rooms.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;
const Language = Type.String({
  maxLength: 35,
  pattern: "^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4})?$",
  description: "as in BCP 47: en, uk, zh-Hant",
});
const Vcard = Type.Record(Type.String({ pattern: "^.{1,64}$" }), Type.Unknown(), {
  maxProperties: 100,
  additionalProperties: false,
  description: "anything of the application's, as JSON of at most 8 KiB",
});
const Visibility = Type.Union([Type.Literal("everybody"), Type.Literal("contacts")], {
  description:
    "who sees the profile: everybody, who finds the user too; or only those in the user's own roster, and no search finds it",
});
const DirectMessages = Type.Union([Type.Literal("anyone"), Type.Literal("contacts")], {
  description: "who may write to the user: anyone, or only those in the user's own roster",
});

const LastSeen = Type.Union([Type.Literal("everybody"), Type.Literal("contacts"), Type.Literal("nobody")], {
  description: "who may know when the user was last seen: everybody, only each other's contacts (as begun), or nobody",
});
export type LastSeenPrivacy = Static<typeof LastSeen>;

const shown = {
  uid: Uid,
  name: Type.String({ description: "the uid where none was given" }),
  nick: Type.String(),
  avatar: Type.String(),
  status: Type.String(),
  language: Type.String(),
  vcard: Type.Object({}, { additionalProperties: true }),
};
/** What others see of a user; empty where nothing was given. */
const Profile = Type.Object(shown);
/** The same with what only the user sees. */
const OwnProfile = Type.Object({
  ...shown,
  visibility: Visibility,
  directMessages: DirectMessages,
  lastSeen: LastSeen,
  invitations: RoomInvitations,
});

export const profileGet = defineMethod({
  name: "profile.get",
  owner: "api",
  summary: "The caller's own profile and privacy.",
  http: { verb: "GET", path: "/profile" },
  params: Type.Object({}, strict),
  result: OwnProfile,
  errors: ["not_found"],
});

export const profileUpdate = defineMethod({
  name: "profile.update",
  owner: "api",
  summary: "Changes the fields that are given, of the caller's own profile; an empty text clears one.",
  http: { verb: "PUT", path: "/profile" },
  changes: true,
  params: Type.Object(
    {
      name: Type.Optional(nameText({ maxLength: 128 })),
      nick: Type.Optional(displayText({ maxLength: 64 })),
      avatar: Type.Optional(Avatar),
      status: Type.Optional(displayText({ maxLength: 256 })),
      language: Type.Optional(Language),
      vcard: Type.Optional(Vcard),
      visibility: Type.Optional(Visibility),
      directMessages: Type.Optional(DirectMessages),
      lastSeen: Type.Optional(LastSeen),
    },
    strict,
  ),
  result: OwnProfile,
  errors: ["not_found", "too_large"],
});

export const usersGet = defineMethod({
  name: "users.get",
  owner: "api",
  summary: "The profile of a user, by uid or alias in any case; one that the caller may not see is not found.",
  http: { verb: "GET", path: "/users/{uid}" },
  params: Type.Object({ uid: Uid }, strict),
  result: Profile,
  errors: ["not_found"],
});

export const usersSearch = defineMethod({
  name: "users.search",
  owner: "api",
  summary: "Users whose uid, alias, name or nick begins with this, in any case; at most 20.",
  http: { verb: "GET", path: "/users" },
  params: Type.Object(
    {
      query: displayText({ minLength: 1, maxLength: 128 }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, description: "default 20" })),
    },
    strict,
  ),
  result: Type.Object({ users: Type.Array(Type.Pick(Profile, ["uid", "name", "nick", "avatar"])) }),
});
