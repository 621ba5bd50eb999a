// How far a message came, and how far somebody has read. api answers both, as it asks the replica of history that knows
// the conversation.
import Type from "typebox";
import { Conv, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { defineMethod } from "./method.ts";

const Count = Type.Integer({ minimum: 0 });

const Mark = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const conversationsMark = defineMethod({
  name: "conversations.mark",
  owner: "api",
  summary:
    "Says up to where messages were delivered to the user, and up to where it has read: as the packet `receipt` of MQTT. Marks " +
    "only go forward, and no further than the last message that the user may read; what is read is delivered.",
  http: { verb: "PUT", path: "/conversations/{conv}/marks" },
  changes: true,
  params: Type.Object(
    { conv: Conv, delivered: Type.Optional(Mark), read: Type.Optional(Mark) },
    { additionalProperties: false, minProperties: 2 },
  ),
  result: Type.Object({ conv: Conv, delivered: Count, read: Count }, { description: "as they are now" }),
  errors: ["not_found", "not_member"],
});

export const messagesReceipts = defineMethod({
  name: "messages.receipts",
  owner: "api",
  summary:
    "To how many members a message was delivered, and how many have read it; in conversations of up to " +
    `${limits.smallRoomMembers} members also who. Its sender is not counted, nor who is no member any more.`,
  http: { verb: "GET", path: "/conversations/{conv}/messages/{seq}/receipts" },
  params: Type.Object(
    { conv: Conv, seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
    { additionalProperties: false },
  ),
  result: Type.Object({
    of: Type.Integer({ minimum: 0, description: "members who may read it" }),
    delivered: Count,
    read: Count,
    receipts: Type.Optional(
      Type.Array(Type.Object({ uid: Uid, delivered: Type.Boolean(), read: Type.Boolean() }), {
        description: "by uid; absent in larger rooms",
      }),
    ),
  }),
  errors: ["not_member", "not_found"],
});
