// Methods that history owns: what a user keeps for itself, on all its devices. Done twice each comes to the same.
import Type from "typebox";
import { Conv, displayText } from "../ids.ts";
import { limits } from "../limits.ts";
import { ConversationSettings, Draft, Message, OwnState } from "../packets/downlink.ts";
import { defineMethod } from "./method.ts";
import { Next, pagePlace, pageToken } from "./pages.ts";

const strict = { additionalProperties: false } as const;
const Seq = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Place = { conv: Conv, seq: Seq };
const Tag = displayText({ minLength: 1, maxLength: 32 });
const Tags = Type.Array(Tag, { maxItems: 10 });
const Page = pageToken(512);

export const messagesDelete = defineMethod({
  name: "messages.delete",
  owner: "history",
  summary:
    `Deletes messages for the caller alone: all up to \`upTo\`, or single ones (\`seqs\`), of which a conversation has at most ${limits.hiddenMessages} ` +
    "behind the last `upTo`.",
  http: { verb: "POST", path: "/conversations/{conv}/messages/delete" },
  params: Type.Object(
    {
      conv: Conv,
      upTo: Type.Optional(Seq),
      seqs: Type.Optional(Type.Array(Seq, { minItems: 1, maxItems: 100 })),
    },
    strict,
  ),
  result: OwnState,
  errors: ["not_member", "not_found", "conflict"],
});

export const conversationsUpdate = defineMethod({
  name: "conversations.update",
  owner: "history",
  summary: "Changes how the caller has a conversation: what is absent stays as it is.",
  http: { verb: "PUT", path: "/conversations/{conv}" },
  params: Type.Object(
    {
      conv: Conv,
      pinned: Type.Optional(Type.Boolean()),
      mutedUntil: Type.Optional(
        Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "unix time, ms; 0: not muted" }),
      ),
      archived: Type.Optional(Type.Boolean()),
      markedUnread: Type.Optional(Type.Boolean()),
      name: Type.Optional(displayText({ maxLength: 128 })),
    },
    strict,
  ),
  result: Type.Object({ conv: Conv, settings: ConversationSettings }),
  errors: ["not_member", "not_found"],
});

export const messagesStar = defineMethod({
  name: "messages.star",
  owner: "history",
  summary: `Stars a message, with these tags in place of earlier ones. A user has at most ${limits.stars} stars.`,
  http: { verb: "PUT", path: "/conversations/{conv}/messages/{seq}/star" },
  params: Type.Object({ ...Place, tags: Type.Optional(Tags) }, strict),
  result: Type.Object({ ...Place, tags: Tags }),
  errors: ["not_member", "not_found", "conflict"],
});

export const messagesUnstar = defineMethod({
  name: "messages.unstar",
  owner: "history",
  summary: "Takes a star away; without one nothing changes.",
  http: { verb: "DELETE", path: "/conversations/{conv}/messages/{seq}/star" },
  params: Type.Object(Place, strict),
  result: Type.Object(Place),
});

export const messagesStarred = defineMethod({
  name: "messages.starred",
  owner: "history",
  summary:
    "The caller's stars, the latest first, with their messages; those that may not be read any more are left out.",
  http: { verb: "GET", path: "/starred" },
  params: Type.Object(
    {
      tag: Type.Optional(Tag),
      conv: Type.Optional(Conv),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: "default 50" })),
      page: Page,
    },
    strict,
  ),
  result: Type.Object({
    stars: Type.Array(Type.Object({ ...Place, tags: Tags, at: Type.Integer(), message: Message })),
    next: Next,
  }),
});

export const draftsSet = defineMethod({
  name: "drafts.set",
  owner: "history",
  summary: `Keeps what the caller has begun to write in a conversation. A user has at most ${limits.drafts} drafts.`,
  http: { verb: "PUT", path: "/conversations/{conv}/draft" },
  params: Type.Object(
    { conv: Conv, text: Type.String({ maxLength: limits.draftCharacters }), reply: Type.Optional(Seq) },
    strict,
  ),
  result: Draft,
  errors: ["not_member", "not_found", "conflict"],
});

export const draftsRemove = defineMethod({
  name: "drafts.remove",
  owner: "history",
  summary: "Removes a draft; without one nothing changes.",
  http: { verb: "DELETE", path: "/conversations/{conv}/draft" },
  params: Type.Object({ conv: Conv }, strict),
  result: Type.Object({ conv: Conv }),
});

export const draftsList = defineMethod({
  name: "drafts.list",
  owner: "history",
  summary: "The caller's drafts.",
  http: { verb: "GET", path: "/drafts" },
  params: Type.Object({ page: pagePlace(Conv) }, strict),
  result: Type.Object({ drafts: Type.Array(Draft), next: Next }),
});
