// The method that search owns: finding messages by what they hold.
import Type from "typebox";
import { Message } from "../packets/downlink.ts";
import { defineMethod } from "./method.ts";
import { Next, pageToken } from "./pages.ts";

const searchQueryMost = 1_000;

export const searchMessages = defineMethod({
  name: "search.messages",
  owner: "search",
  summary:
    'Messages of one\'s own conversations, the newest first. `query`: words, all of which a message has; "words in a row"; a ' +
    "beginning*; `from:`uid; `in:`#room, uid or conversation; `before:` and `after:` a day (UTC) or time; `has:file`, " +
    "`has:link`, `has:image`. A message sent a moment ago may not be found yet. A page may be short: only `next: null` is the end.",
  http: { verb: "GET", path: "/search/messages" },
  params: Type.Object(
    {
      query: Type.String({ minLength: 1, maxLength: searchQueryMost }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: "default 20" })),
      page: pageToken(1_024),
    },
    { additionalProperties: false },
  ),
  result: Type.Object({
    results: Type.Array(Type.Object({ message: Message }), {
      description: "each as in the pages of `history.get`: `edited` is what it holds now",
    }),
    next: Next,
    incomplete: Type.Optional(
      Type.Boolean({ description: "true while the first index is built: older messages may be missing" }),
    ),
  }),
});
