// Methods that api owns: the caller's roster, blocks, and requests to be in somebody's.
import Type from "typebox";
import { displayText, linesText, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { Contact } from "../packets/downlink.ts";
import { defineMethod } from "./method.ts";
import { Next, pageToken } from "./pages.ts";

const strict = { additionalProperties: false } as const;
/** What the owner of a roster notes about somebody. SlimChat draft, Buddy: `nick`, `group`. */
const details = {
  nick: Type.Optional(displayText({ maxLength: 64 })),
  group: Type.Optional(displayText({ maxLength: 64 })),
  note: Type.Optional(linesText({ maxLength: 512 })),
  tags: Type.Optional(
    Type.Array(displayText({ minLength: 1, maxLength: 32 }), { maxItems: limits.contactTags, uniqueItems: true }),
  ),
};

/** SlimChat draft, Buddy: the other fields, so that one may be given whole. They are the user's own, and stay. */
const ofBuddy = {
  name: Type.Optional(Type.String({ maxLength: 128, description: "not changed: it is the user's own" })),
  avatar: Type.Optional(Type.String({ maxLength: 2_048, description: "not changed: it is the user's own" })),
};

export const rosterList = defineMethod({
  name: "roster.list",
  owner: "api",
  summary:
    "The caller's contacts, requests and blocks, the latest changed last. With `since` (the `version` of an earlier list) only " +
    "what changed from then on, some of it perhaps again, and what was removed with the relation `removed`.",
  http: { verb: "GET", path: "/roster" },
  params: Type.Object(
    {
      since: Type.Optional(Type.Integer({ minimum: 0, description: "`version` of an earlier list" })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: "default 100" })),
      page: pageToken(512),
    },
    strict,
  ),
  result: Type.Object({
    contacts: Type.Array(Contact),
    version: Type.Integer({ description: "for `since` of the next list; the same on all pages" }),
    whole: Type.Boolean({ description: "all there is: what is not on one of its pages is not in the roster" }),
    next: Next,
  }),
});

export const rosterAdd = defineMethod({
  name: "roster.add",
  owner: "api",
  summary: "Puts a user into the caller's roster, at once; who had asked the caller is confirmed.",
  http: { verb: "POST", path: "/roster" },
  changes: true,
  params: Type.Object({ id: Uid, ...details, ...ofBuddy }, strict),
  result: Contact,
  errors: ["not_found", "conflict", "forbidden"],
});

export const rosterUpdate = defineMethod({
  name: "roster.update",
  owner: "api",
  summary: "Changes what the caller notes about a contact: the fields that are given.",
  http: { verb: "PUT", path: "/roster/{id}" },
  changes: true,
  params: Type.Object({ id: Uid, ...details, ...ofBuddy }, strict),
  result: Contact,
  errors: ["not_found"],
});

export const rosterRemove = defineMethod({
  name: "roster.remove",
  owner: "api",
  summary: "Takes a user out of the caller's roster, and a request back; a block stays.",
  http: { verb: "DELETE", path: "/roster/{id}" },
  changes: true,
  params: Type.Object({ id: Uid }, strict),
  result: Contact,
  errors: ["not_found"],
});

export const rosterBlock = actOn(
  "block",
  "From now on nothing of this user's reaches the caller; the user is not told. Any name will do: nobody learns by it whether there is such a user.",
);
export const rosterUnblock = actOn("unblock", "Ends a block.");
export const rosterMute = actOn("mute", "Marks a user as muted, for the caller's own devices to obey.");
export const rosterUnmute = actOn("unmute", "Ends that.");
export const rosterRequest = actOn(
  "request",
  "Asks a user to be each other's contact; who has asked or has the caller as contact is one at once.",
);
export const rosterConfirm = actOn("confirm", "Accepts a user's request: both are each other's contact.");
export const rosterRefuse = actOn("refuse", "Refuses a user's request.");
export const rosterRevoke = actOn(
  "revoke",
  "Takes the caller's request back; of two who are each other's contact, ends it for both.",
);

function actOn<Act extends string>(act: Act, summary: string) {
  return defineMethod({
    name: `roster.${act}`,
    owner: "api",
    summary,
    http: { verb: "POST", path: `/roster/{id}/${act}` },
    changes: true,
    params: Type.Object({ id: Uid }, strict),
    result: Contact,
    errors: ["not_found", "conflict", "forbidden"],
  });
}
