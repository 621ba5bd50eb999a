// A method that api owns: when the messages of a conversation disappear.
import Type from "typebox";
import { Conv } from "../ids.ts";
import { Expiry } from "../packets/expiry.ts";
import { defineMethod } from "./method.ts";

const Either = Type.Union([Expiry, Type.Null()], { description: "null: messages stay" });

export const conversationsSetExpiry = defineMethod({
  name: "conversations.setExpiry",
  owner: "api",
  summary:
    "Says when messages of a conversation disappear from now on, where they say nothing themselves: either of two, in a room " +
    "its owners and admins. An entry of the conversation tells all.",
  http: { verb: "PUT", path: "/conversations/{conv}/expiry" },
  changes: true,
  params: Type.Object({ conv: Conv, expiry: Either }, { additionalProperties: false }),
  result: Type.Object({ conv: Conv, expiry: Either }),
  errors: ["not_found", "not_member", "blocked", "forbidden"],
});
