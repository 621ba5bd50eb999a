// Methods that history owns: reading conversations.
import Type from "typebox";
import { Conv, ConvKey, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { ConversationSettings, Message, OwnState, ThreadState } from "../packets/downlink.ts";
import { Expiry } from "../packets/expiry.ts";
import { Pin } from "../rooms.ts";
import { defineMethod } from "./method.ts";
import { Next, pagePlace, pageToken } from "./pages.ts";

const Seq = Type.Integer({ minimum: 0 });
const Moment = Type.Integer({ description: "unix ms" });
const strict = { additionalProperties: false } as const;
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: limits.pageMessages, description: "default 100" }));
const Page = pageToken(512);
const Receipt = Type.Object({ uid: Uid, delivered: Seq, read: Seq });

export const historyGet = defineMethod({
  name: "history.get",
  owner: "history",
  summary: "Messages of a conversation, oldest first; without after, before or around the newest.",
  http: { verb: "GET", path: "/conversations/{conv}/messages" },
  params: Type.Object(
    {
      conv: Conv,
      after: Type.Optional(Seq),
      before: Type.Optional(Type.Integer({ minimum: 1 })),
      around: Type.Optional(Type.Integer({ minimum: 1 })),
      limit: Limit,
    },
    strict,
  ),
  result: Type.Object({ messages: Type.Array(Message), firstSeq: Seq, lastSeq: Seq, more: Type.Boolean() }),
  errors: ["not_member", "not_found"],
});

export const sync = defineMethod({
  name: "sync",
  owner: "history",
  summary: "Everything the given cursors lack, over all conversations of the caller.",
  http: { verb: "POST", path: "/sync" },
  params: Type.Object(
    {
      cursors: Type.Optional(
        Type.Record(ConvKey, Seq, {
          description: "conv → last seq the device has",
          additionalProperties: false,
          maxProperties: 10_000,
        }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: limits.pageMessages,
          description: "messages a conversation and page; default 100",
        }),
      ),
      page: pagePlace(Conv),
      all: Type.Optional(Type.Boolean({ description: "also conversations without new messages, for their marks" })),
      since: Type.Optional(
        Type.Integer({
          minimum: 0,
          description:
            "`at` of an earlier sync: also conversations whose marks changed since then, by other devices of the caller or by " +
            "others' receipts",
        }),
      ),
    },
    strict,
  ),
  result: Type.Object({
    conversations: Type.Array(
      Type.Object({
        conv: Conv,
        messages: Type.Array(Message),
        firstSeq: Seq,
        lastSeq: Seq,
        readSeq: Seq,
        unread: Type.Integer({ minimum: 0 }),
        unreadMentions: Type.Optional(
          Type.Integer({ minimum: 0, description: "of these, messages that mention the caller or all" }),
        ),
        receipts: Type.Array(Receipt),
        own: Type.Optional(OwnState),
        threads: Type.Optional(
          Type.Array(ThreadState, { description: "those that the caller follows, with something new; the latest 100" }),
        ),
        more: Type.Boolean(),
      }),
    ),
    at: Type.Optional(Type.Integer({ description: "for `since` of the next sync; of several pages the first one's" })),
    kept: Type.Optional(
      Type.Object(
        { drafts: Type.Optional(Moment), stars: Type.Optional(Moment) },
        {
          description:
            "on the first page: when the caller last changed what it keeps, on any device. Not before `at` of the device's " +
            "sync before: `drafts.list` or `messages.starred` has something else than it knows",
        },
      ),
    ),
    next: Next,
  }),
});

export const conversationsList = defineMethod({
  name: "conversations.list",
  owner: "history",
  summary:
    "The caller's conversations, the latest first. What moves between two pages is answered at the end, perhaps again; " +
    "`lastMessage` is null where it alone is larger than the request's `maxBytes`.",
  http: { verb: "GET", path: "/conversations" },
  params: Type.Object(
    { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: "default 100" })), page: Page },
    strict,
  ),
  result: Type.Object({
    conversations: Type.Array(
      Type.Object({
        conv: Conv,
        name: Type.String({
          description:
            "the caller's own name for it, else the room's; of two: what the other (oneself, in a conversation with oneself) is " +
            "called, as `nick` in the roster: the caller's nick for it, else the profile's nick or name, as far as it may be seen, else the uid",
        }),
        lastMessage: Type.Union([Message, Type.Null()]),
        lastSeq: Seq,
        readSeq: Seq,
        unread: Type.Integer({ minimum: 0 }),
        unreadMentions: Type.Optional(
          Type.Integer({ minimum: 0, description: "of these, messages that mention the caller or all" }),
        ),
        muted: Type.Boolean(),
        pinned: Type.Boolean(),
        settings: Type.Optional(ConversationSettings),
        pins: Type.Optional(
          Type.Array(Pin, { description: "pinned messages that the caller may read, oldest pin first; absent: none" }),
        ),
        expiry: Type.Optional(Expiry),
      }),
    ),
    next: Next,
  }),
});
