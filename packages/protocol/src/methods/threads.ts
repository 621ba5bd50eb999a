// Methods that history owns: threads, which are messages about a message of their conversation.
import Type from "typebox";
import { Conv } from "../ids.ts";
import { Message, ThreadState } from "../packets/downlink.ts";
import { defineMethod } from "./method.ts";
import { Next, pageToken } from "./pages.ts";

const strict = { additionalProperties: false } as const;
const Seq = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Place = { conv: Conv, seq: Seq };
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: "default 50" }));

export const threadsList = defineMethod({
  name: "threads.list",
  owner: "history",
  summary: "The threads of a conversation, those about the latest messages first, as the caller has them.",
  http: { verb: "GET", path: "/conversations/{conv}/threads" },
  params: Type.Object(
    {
      conv: Conv,
      limit: Limit,
      page: pageToken(512),
    },
    strict,
  ),
  result: Type.Object({
    threads: Type.Array(Type.Intersect([ThreadState, Type.Object({ message: Message })])),
    next: Next,
  }),
  errors: ["not_member", "not_found"],
});

export const threadsGet = defineMethod({
  name: "threads.get",
  owner: "history",
  summary: "The messages of a thread, oldest first, without the one that it is about.",
  http: { verb: "GET", path: "/conversations/{conv}/threads/{seq}" },
  params: Type.Object(
    {
      ...Place,
      after: Type.Optional(
        Type.Integer({ minimum: 0, description: "only later ones: the last `seq` of the page before" }),
      ),
      limit: Limit,
    },
    strict,
  ),
  result: Type.Object({ messages: Type.Array(Message), more: Type.Boolean() }),
  errors: ["not_member", "not_found"],
});

export const threadsUpdate = defineMethod({
  name: "threads.update",
  owner: "history",
  summary: "Follows a thread or not, and moves the caller's read mark in it forward; what is absent stays.",
  http: { verb: "PUT", path: "/conversations/{conv}/threads/{seq}" },
  params: Type.Object({ ...Place, following: Type.Optional(Type.Boolean()), read: Type.Optional(Seq) }, strict),
  result: ThreadState,
  errors: ["not_member", "not_found"],
});
