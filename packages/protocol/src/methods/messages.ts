// Methods about one message: what was said about it later, and sending it on.
import Type from "typebox";
import { Conv, PacketId, To } from "../ids.ts";
import { Message, PollState, ReactionRow } from "../packets/downlink.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;
const Place = { conv: Conv, seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) };

export const messagesVersions = defineMethod({
  name: "messages.versions",
  owner: "history",
  summary: "A message as it was sent and each of its edits, oldest first.",
  http: { verb: "GET", path: "/conversations/{conv}/messages/{seq}/versions" },
  params: Type.Object(
    {
      ...Place,
      after: Type.Optional(
        Type.Integer({ minimum: 1, description: "only later ones: the last `seq` of the page before" }),
      ),
    },
    strict,
  ),
  result: Type.Object({ versions: Type.Array(Message), more: Type.Boolean() }),
  errors: ["not_member", "not_found"],
});

export const messagesReactions = defineMethod({
  name: "messages.reactions",
  owner: "history",
  summary: "The reactions to a message, with all who gave them.",
  http: { verb: "GET", path: "/conversations/{conv}/messages/{seq}/reactions" },
  params: Type.Object(Place, strict),
  result: Type.Object({ reactions: Type.Array(ReactionRow) }),
  errors: ["not_member", "not_found"],
});

export const messagesVotes = defineMethod({
  name: "messages.votes",
  owner: "history",
  summary: "How a poll stands, with all who voted.",
  http: { verb: "GET", path: "/conversations/{conv}/messages/{seq}/votes" },
  params: Type.Object(Place, strict),
  result: PollState,
  errors: ["not_member", "not_found"],
});

export const messagesForward = defineMethod({
  name: "messages.forward",
  owner: "api",
  summary: "Sends a message that the caller may read on, as it is now, with whose it was; the server copies it.",
  http: { verb: "POST", path: "/conversations/{conv}/messages/{seq}/forward" },
  changes: true,
  params: Type.Object({ ...Place, to: To, id: Type.Optional(PacketId) }, strict),
  result: Type.Pick(Message, ["id", "conv", "seq", "ts"]),
  errors: ["not_found", "not_member", "blocked", "forbidden", "conflict", "too_large"],
});
