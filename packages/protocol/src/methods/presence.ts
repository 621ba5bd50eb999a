// Methods that presence owns: who is there of those whom the caller may know of.
import Type, { type Static } from "typebox";
import { Uid } from "../ids.ts";
import { PresenceNotice } from "../packets/downlink.ts";
import { defineMethod } from "./method.ts";
import { Next, pagePlace } from "./pages.ts";

const strict = { additionalProperties: false } as const;
/** How one user is there; `lastSeen` null: online, never seen, or not for the caller to know. */
const Presence = Type.Omit(PresenceNotice, ["type"]);
export type Presence = Static<typeof Presence>;

export const presenceList = defineMethod({
  name: "presence.list",
  owner: "presence",
  summary: "Those of the caller's contacts who are online, in the order of their uids; all others are offline.",
  http: { verb: "GET", path: "/presence" },
  params: Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: "default 500" })),
      page: pagePlace(Uid),
    },
    strict,
  ),
  result: Type.Object({
    contacts: Type.Array(Presence),
    next: Next,
  }),
});

export const presenceGet = defineMethod({
  name: "presence.get",
  owner: "presence",
  summary: "How a user is there. Whoever is not the caller's contact looks offline.",
  http: { verb: "GET", path: "/presence/{uid}" },
  params: Type.Object({ uid: Uid }, strict),
  result: Presence,
  errors: ["not_found"],
});
