// What a user keeps of conversations, threads, messages that are sent later, and searching.
import assert from "node:assert/strict";
import {
  conversationsUpdate,
  draftsList,
  draftsRemove,
  draftsSet,
  messagesReschedule,
  messagesSchedule,
  messagesScheduled,
  messagesUnschedule,
  searchMessages,
  threadsGet,
  threadsList,
  threadsUpdate,
} from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { foreignConv, foreignTo, type Result, type Row, row } from "../row.ts";
import type { Person, World } from "../world.ts";

/** A thread of two messages about a message of ann. */
async function thread({ say, bob, ann }: World) {
  const place = await say("what about it?");
  for (const text of ["one thing", "another thing"])
    await say(text, { from: bob, to: `user/${ann.uid}`, packet: { thread: place.seq } });
  return place;
}

const noThread: Row["refused"] = {
  "about a message that is not there": () => ({ code: "not_found", params: { seq: 9_999 } }),
};

const inAnHour = () => Date.now() + 3_600_000;

async function schedule({ call, bob }: World, by: Person, id: string): Promise<string> {
  const message = { id, to: `user/${bob.uid}`, content: { type: "text", data: id } };
  await call(by, messagesSchedule, { at: inAnHour(), message });
  return id;
}

const ofEve: Row<{ id: string }>["foreign"] = async (world, { id }) => ({
  code: "not_found",
  theirs: { id: await schedule(world, world.eve, `eves-${id}`) },
  none: { id: "nothing" },
});

export const ownRows = [
  row(conversationsUpdate, {
    good: ({ conv }) => ({ params: { conv, markedUnread: true, name: "Bob the second" } }),
    answer: ({ settings }) => assert.deepEqual([settings.markedUnread, settings.name], [true, "Bob the second"]),
    foreign: foreignConv,
  }),
  row(draftsSet, {
    good: ({ conv }) => ({ params: { conv, text: "we could" } }),
    answer: ({ text }) => assert.equal(text, "we could"),
    foreign: foreignConv,
  }),
  row(draftsList, {
    async good({ call, ann, conv }) {
      await call(ann, draftsSet, { conv, text: "listed" });
      return { params: {} };
    },
    answer: ({ drafts }) => assert.equal(drafts[0].text, "listed"),
  }),
  row(draftsRemove, {
    async good({ call, ann, conv }) {
      await call(ann, draftsSet, { conv, text: "not this" });
      return { params: { conv } };
    },
    // Without a draft nothing changes, whosever the conversation is.
    foreign: "none",
  }),
  row(threadsList, {
    async good(world) {
      await thread(world);
      await thread(world);
      return { params: { conv: world.conv } };
    },
    answer: ({ threads }) => assert.equal(threads[0].count, 2),
    foreign: foreignConv,
  }),
  row(threadsGet, {
    good: async (world) => ({ params: await thread(world) }),
    answer: ({ messages }) => assert.equal(messages.length, 2),
    foreign: foreignConv,
    refused: noThread,
  }),
  row(threadsUpdate, {
    good: async (world) => ({ params: { ...(await thread(world)), following: true } }),
    answer: ({ following }) => assert.equal(following, true),
    foreign: foreignConv,
    refused: noThread,
  }),
  row(messagesSchedule, {
    good: ({ bob }) => ({
      params: { at: inAnHour(), message: { id: "later", to: `user/${bob.uid}`, content: { type: "text", data: "x" } } },
    }),
    answer: ({ state }) => assert.equal(state, "waiting"),
    foreign: (world, { message }) =>
      foreignTo(world).map(({ code, theirs, none }) => ({
        code,
        theirs: { message: { ...message, ...theirs } },
        none: { message: { ...message, ...none } },
      })),
    refused: {
      "at a time that is over": () => ({ code: "invalid_packet", params: { at: 1 } }),
      "to a room where only admins write": async ({ bob, room }, { message }) => {
        const { conv } = await room({ settings: { write: "admin" } });
        return { code: "forbidden", as: bob, params: { message: { ...message, to: conv } } };
      },
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(messagesScheduled, {
    async good(world) {
      await schedule(world, world.ann, "listed");
      return { params: {} };
    },
    answer: ({ scheduled }) => assert.ok(scheduled.some(({ id }: Result) => id === "listed")),
  }),
  row(messagesReschedule, {
    good: async (world) => ({ params: { id: await schedule(world, world.ann, "moved"), at: inAnHour() } }),
    foreign: ofEve,
    refused: {
      "to a room where only admins write": async (world, { id }) => {
        const { conv } = await world.room({ settings: { write: "admin" } });
        await schedule(world, world.bob, id);
        const message = { to: conv, content: { type: "text" } };
        return { code: "forbidden", as: world.bob, params: { message } };
      },
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(messagesUnschedule, {
    good: async (world) => ({ params: { id: await schedule(world, world.ann, "taken-back") } }),
    foreign: ofEve,
    again: "not_found",
  }),
  row(searchMessages, {
    async good({ say, call, ann }) {
      for (const text of ["one needle", "two needles"]) await say(text);
      const found = async () => (await call(ann, searchMessages, { query: "needle*" })).results.length === 2;
      await eventually(found, { timeoutMs: 30_000 });
      return { params: { query: "needle*" } };
    },
    answer: ({ results }) => assert.equal(results[0].message.content.data, "two needles"),
  }),
];
