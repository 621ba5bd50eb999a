// Single messages: what was said about them, sending them on, pins, stars and files.
import assert from "node:assert/strict";
import { uploadFile } from "@parley/client";
import {
  attachmentsInfo,
  attachmentsList,
  linksPreview,
  messagesDelete,
  messagesForward,
  messagesPin,
  messagesPins,
  messagesReactions,
  messagesReceipts,
  messagesStar,
  messagesStarred,
  messagesUnpin,
  messagesUnstar,
  messagesVersions,
  messagesVotes,
  rosterBlock,
} from "@parley/protocol";
import { foreignConv, foreignTo, type Result, type Row, row, type WhoMayNot } from "../row.ts";
import type { Caller, World } from "../world.ts";

const noSuchMessage: Row["refused"] = {
  "about a message that is not there": () => ({ code: "not_found", params: { seq: 9_999 } }),
};

/** A message in a room of ann, who is its owner, and bob. */
async function inRoom({ room, say }: World) {
  const { id } = await room();
  return say("to all", { to: `room/${id}` });
}

const letters = "abcdefghijklmnopqrstuvwxyz";
/** Ids of files that are not there, up to 676 different ones. */
const noFile = (n: number) => `f-${"a".repeat(30)}${letters[Math.floor(n / 26)]}${letters[n % 26]}`;

const byMember: WhoMayNot = { "by a member of a room": ({ bob }) => ({ code: "forbidden", as: bob }) };
const nothingChanged = ({ seq }: Result) => assert.equal(seq, 0);

export const messageRows = [
  row(messagesVersions, {
    async good({ say }) {
      const place = await say("as it was");
      await say("", { content: { type: "edit", seq: place.seq, data: "as it is" } });
      return { params: place };
    },
    answer: ({ versions }) =>
      assert.deepEqual(
        versions.map(({ content }: Result) => content.data),
        ["as it was", "as it is"],
      ),
    foreign: foreignConv,
    refused: noSuchMessage,
  }),
  row(messagesReactions, {
    async good({ say, bob, ann }) {
      const place = await say("like it?");
      await say("", { from: bob, to: `user/${ann.uid}`, content: { type: "reaction", seq: place.seq, data: "👍" } });
      return { params: place };
    },
    answer: ({ reactions }) => assert.deepEqual(reactions, [{ reaction: "👍", count: 1, mine: false, uids: ["bob"] }]),
    foreign: foreignConv,
    refused: noSuchMessage,
  }),
  row(messagesVotes, {
    async good({ say, bob, ann }) {
      const place = await say("", { content: { type: "poll", question: "Tea?", options: ["yes", "no"] } });
      await say("", { from: bob, to: `user/${ann.uid}`, content: { type: "vote", seq: place.seq, options: [1] } });
      return { params: place };
    },
    answer: ({ voters }) => assert.equal(voters, 1),
    foreign: foreignConv,
    refused: noSuchMessage,
  }),
  row(messagesForward, {
    async good({ say, room }) {
      const { conv } = await room();
      return { params: { ...(await say("pass it on")), to: conv, id: "sent-on" } };
    },
    foreign: (world) => [...foreignConv<{ conv: string; to: string }>(world), ...foreignTo(world)],
    refused: {
      ...noSuchMessage,
      "to a room where only admins write": async ({ bob, room }) => {
        const { conv } = await room({ settings: { write: "admin" } });
        return { code: "forbidden", as: bob, params: { to: conv } };
      },
      "to who has blocked the sender": async (world) => ({ code: "blocked", params: { to: await blocker(world) } }),
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(messagesPin, {
    good: async (world) => ({ params: await inRoom(world) }),
    foreign: foreignConv,
    refused: { ...noSuchMessage, ...byMember },
    again: nothingChanged,
  }),
  row(messagesUnpin, {
    async good(world) {
      const place = await inRoom(world);
      await world.call(world.ann, messagesPin, place);
      return { params: place };
    },
    foreign: foreignConv,
    refused: byMember,
    again: nothingChanged,
  }),
  row(messagesPins, {
    async good(world) {
      const place = await inRoom(world);
      await world.call(world.ann, messagesPin, place);
      return { params: { conv: place.conv } };
    },
    answer: ({ pins }) => assert.deepEqual(pins[0].message.content, { type: "text", data: "to all" }),
    foreign: foreignConv,
  }),
  row(messagesReceipts, {
    good: async ({ say, person }) => ({ params: await say("read it?", { to: `user/${(await person("quiet")).uid}` }) }),
    answer: (result) =>
      assert.deepEqual(result, {
        of: 1,
        delivered: 0,
        read: 0,
        receipts: [{ uid: "quiet", delivered: false, read: false }],
      }),
    foreign: foreignConv,
    refused: noSuchMessage,
  }),
  row(messagesDelete, {
    async good({ say }) {
      const { conv, seq } = await say("not for me");
      return { params: { conv, seqs: [seq] } };
    },
    answer: ({ hidden }) => assert.equal(hidden.length, 1),
    foreign: foreignConv,
  }),
  row(messagesStar, {
    good: async ({ say }) => ({ params: { ...(await say("remember")), tags: ["later"] } }),
    answer: ({ tags }) => assert.deepEqual(tags, ["later"]),
    foreign: foreignConv,
    refused: noSuchMessage,
  }),
  row(messagesUnstar, {
    async good({ say, call, ann }) {
      const place = await say("forget");
      await call(ann, messagesStar, place);
      return { params: place };
    },
    // Without a star nothing changes, whosever the message is.
    foreign: "none",
  }),
  row(messagesStarred, {
    async good({ say, call, ann }) {
      for (const text of ["one", "two"]) await call(ann, messagesStar, { ...(await say(text)), tags: ["listed"] });
      return { params: { tag: "listed" } };
    },
    answer: ({ stars }) =>
      assert.deepEqual(
        stars.map(({ message }: Result) => message.content.data),
        ["two", "one"],
      ),
    foreign: "none",
  }),
  row(linksPreview, {
    good: ({ site }) => ({ params: { url: site } }),
    answer: ({ title }) => assert.equal(title, "A page"),
    refused: { "of a page that is not there": ({ site }) => ({ code: "not_found", params: { url: `${site}none` } }) },
  }),
  row(attachmentsInfo, {
    async good({ http, ann }) {
      const { id } = await uploadFile(http, ann.token, Buffer.from("a file"), { name: "notes.txt" });
      return { params: { id } };
    },
    answer: ({ name, size }) => assert.deepEqual([name, size], ["notes.txt", 6]),
    async foreign({ http, eve }) {
      const { id } = await uploadFile(http, eve.token, Buffer.from("Eve's file"));
      return { code: "not_found", theirs: { id }, none: { id: noFile(0) } };
    },
  }),
  row(attachmentsList, {
    async good({ http, ann, bob, eve, say }) {
      const upload = async ({ token }: Caller, name: string) =>
        (await uploadFile(http, token ?? "", Buffer.from(name), { name })).id;
      const [own, eves, bobs] = [await upload(ann, "own"), await upload(eve, "eves"), await upload(bob, "bobs")];
      await say("here", { from: bob, to: `user/${ann.uid}`, content: { type: "file", file: bobs } });
      return { params: { ids: [noFile(0), bobs, eves, own] } };
    },
    answer: ({ attachments }) =>
      assert.deepEqual(
        attachments.map(({ name }: Result) => name),
        ["bobs", "own"],
      ),
    // What is not the asker's to see is left out as what is not there is: `answer` looks at it.
    foreign: "none",
    refused: {
      "about too many": () => ({
        code: "invalid_packet",
        params: { ids: Array.from({ length: 51 }, (_, n) => noFile(n)) },
      }),
      "about one twice": () => ({ code: "invalid_packet", params: { ids: [noFile(0), noFile(0)] } }),
    },
  }),
];

async function blocker({ person, call, ann }: World): Promise<string> {
  const cross = await person("cross");
  await call(cross, rosterBlock, { id: ann.uid });
  return `user/${cross.uid}`;
}
