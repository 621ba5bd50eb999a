// Reading conversations, and when their messages disappear.
import assert from "node:assert/strict";
import { conversationsList, conversationsMark, conversationsSetExpiry, historyGet, sync } from "@parley/protocol";
import { foreignConv, row } from "../row.ts";

export const conversationRows = [
  row(historyGet, {
    good: async ({ conv, say }) => ({ params: { conv, after: (await say("read me")).seq - 1 } }),
    answer: ({ messages }) => assert.deepEqual(messages.at(-1).content, { type: "text", data: "read me" }),
    foreign: foreignConv,
  }),
  row(sync, {
    good: async ({ conv, say }) => ({ params: { cursors: { [conv]: (await say("what was missed")).seq - 1 } } }),
    onePage: true,
    answer({ conversations }, { conv, prefix }) {
      const { messages } = conversations.find((one: { conv: string }) => one.conv === conv.replaceAll(prefix, ""));
      assert.deepEqual(messages.at(-1).content, { type: "text", data: "what was missed" });
    },
  }),
  row(conversationsList, {
    async good({ room }) {
      await room();
      return { params: {} };
    },
    answer: ({ conversations }) => assert.equal(conversations[0].name, "Room"),
  }),
  row(conversationsMark, {
    good: async ({ conv, say }) => ({ params: { conv, read: (await say("read me too")).seq } }),
    answer: ({ delivered, read }) => assert.equal(delivered, read),
    foreign: foreignConv,
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(conversationsSetExpiry, {
    async good({ room }) {
      const { conv } = await room();
      return { params: { conv, expiry: { seconds: 60, from: "sent" as const } } };
    },
    answer: ({ expiry }) => assert.deepEqual(expiry, { seconds: 60, from: "sent" }),
    foreign: foreignConv,
    refused: {
      "by a member of a room": ({ bob }) => ({ code: "forbidden", as: bob }),
      "by a stranger": ({ eve }) => ({ code: "not_found", as: eve }),
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
];
