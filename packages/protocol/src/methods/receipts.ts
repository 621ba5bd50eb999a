// How far a message came. api answers it, as it asks the replica of history that knows the conversation.
import Type from "typebox";
import { Conv, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { defineMethod } from "./method.ts";

const Count = Type.Integer({ minimum: 0 });

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
