// Profiles, finding people, and rosters.
import assert from "node:assert/strict";
import {
  profileGet,
  profileUpdate,
  rosterAdd,
  rosterBlock,
  rosterConfirm,
  rosterList,
  rosterMute,
  rosterRefuse,
  rosterRemove,
  rosterRequest,
  rosterRevoke,
  rosterUnblock,
  rosterUnmute,
  rosterUpdate,
  usersGet,
  usersSearch,
} from "@parley/protocol";
import { type Result, type Row, row } from "../row.ts";
import type { World } from "../world.ts";

const same = (result: Result, first: Result) => assert.deepEqual(result, first);
const nobody = ({ prefix }: World) => `${prefix}nobody`;

/** Of somebody who shows itself to contacts only nothing is answered but what would be of nobody. */
const hidden: Row<{ id: string }>["foreign"] = (world) => ({
  code: "not_found",
  theirs: { id: world.hidden },
  none: { id: nobody(world) },
});
const notOneself: Row<{ id: string }>["refused"] = {
  "about oneself": ({ ann }) => ({ code: "forbidden", params: { id: ann.uid } }),
};

const somebody = (name: string) => async (world: World) => ({ params: { id: (await world.person(name)).uid } });

export const peopleRows = [
  row(profileGet, { good: () => ({ params: {} }), answer: ({ uid }) => assert.equal(uid, "ann") }),
  row(profileUpdate, {
    good: async ({ person }) => ({
      params: { nick: "Annie", vcard: { tel: "1" }, lastSeen: "contacts" as const },
      as: await person("changing"),
    }),
    answer: ({ nick, vcard }) => assert.deepEqual([nick, vcard], ["Annie", { tel: "1" }]),
    refused: {
      "with a card that is too large": () => ({ code: "too_large", params: { vcard: { note: "x".repeat(9_000) } } }),
    },
    again: same,
  }),
  row(usersGet, {
    good: ({ bob }) => ({ params: { uid: bob.uid } }),
    answer: ({ uid, name }) => assert.deepEqual([uid, name], ["bob", "bob"]),
    foreign: (world) => ({
      code: "not_found",
      theirs: { uid: world.hidden },
      none: { uid: nobody(world) },
    }),
  }),
  row(usersSearch, {
    async good({ person }) {
      const { uid } = await person("hidebound");
      return { params: { query: uid.slice(0, -"ebound".length).toUpperCase() } };
    },
    answer: ({ users }) =>
      assert.deepEqual(
        users.map(({ uid }: Result) => uid),
        ["hidebound"],
      ),
  }),
  row(rosterAdd, {
    good: async (world) => ({ params: { ...(await somebody("added")(world)).params, nick: "Addie", tags: ["tea"] } }),
    answer: ({ relation, nick, tags }) => assert.deepEqual([relation, nick, tags], ["contact", "Addie", ["tea"]]),
    foreign: hidden,
    refused: notOneself,
    again: same,
  }),
  row(rosterList, {
    async good({ person, call }) {
      const as = await person("listing");
      for (const name of ["listed.one", "listed.two"]) await call(as, rosterAdd, { id: (await person(name)).uid });
      return { params: {}, as };
    },
    answer: ({ contacts }) =>
      assert.deepEqual(
        contacts.map(({ id }: Result) => id),
        ["listed.one", "listed.two"],
      ),
  }),
  row(rosterUpdate, {
    async good(world) {
      const { params } = await somebody("noted")(world);
      await world.call(world.ann, rosterAdd, params);
      return { params: { ...params, note: "a friend" } };
    },
    answer: ({ note }) => assert.equal(note, "a friend"),
    foreign: hidden,
    refused: notOneself,
    again: same,
  }),
  row(rosterRemove, {
    async good(world) {
      const question = await somebody("removed.from.roster")(world);
      await world.call(world.ann, rosterAdd, question.params);
      return question;
    },
    answer: ({ relation }) => assert.equal(relation, "removed"),
    foreign: hidden,
    refused: notOneself,
    again: "not_found",
  }),
  row(rosterBlock, {
    good: somebody("blocked"),
    answer: ({ blocked }) => assert.equal(blocked, true),
    // Any name will do.
    foreign: "none",
    refused: notOneself,
    again: same,
  }),
  row(rosterUnblock, {
    async good(world) {
      const question = await somebody("unblocked")(world);
      await world.call(world.ann, rosterBlock, question.params);
      return question;
    },
    answer: ({ blocked }) => assert.equal(blocked, false),
    foreign: hidden,
    refused: notOneself,
    again: same,
  }),
  row(rosterMute, {
    good: somebody("silent"),
    answer: ({ muted }) => assert.equal(muted, true),
    // Any name will do.
    foreign: "none",
    refused: notOneself,
    again: same,
  }),
  row(rosterUnmute, {
    async good(world) {
      const question = await somebody("loud")(world);
      await world.call(world.ann, rosterMute, question.params);
      return question;
    },
    answer: ({ muted }) => assert.equal(muted, false),
    foreign: hidden,
    refused: notOneself,
    again: same,
  }),
  row(rosterRequest, {
    good: somebody("asked"),
    answer: ({ relation }) => assert.equal(relation, "requested"),
    foreign: hidden,
    refused: {
      ...notOneself,
      "of one whom the asker blocks": async ({ person, call, ann }) => {
        const { uid: id } = await person("asked.and.blocked");
        await call(ann, rosterBlock, { id });
        return { code: "conflict", params: { id } };
      },
    },
    again: same,
  }),
  row(rosterConfirm, {
    good: asking("asks.to.be.confirmed"),
    answer: ({ relation }) => assert.equal(relation, "contact"),
    foreign: hidden,
    refused: notOneself,
    again: "not_found",
  }),
  row(rosterRefuse, {
    good: asking("asks.to.be.refused"),
    answer: ({ relation }) => assert.equal(relation, "removed"),
    foreign: hidden,
    refused: notOneself,
    again: "not_found",
  }),
  row(rosterRevoke, {
    async good(world) {
      const question = await somebody("asked.in.vain")(world);
      await world.call(world.ann, rosterRequest, question.params);
      return question;
    },
    answer: ({ relation }) => assert.equal(relation, "removed"),
    foreign: hidden,
    refused: notOneself,
    again: "not_found",
  }),
];

/** Somebody who asked ann. */
function asking(name: string) {
  return async ({ person, call, ann }: World) => {
    const other = await person(name);
    await call(other, rosterRequest, { id: ann.uid });
    return { params: { id: other.uid } };
  };
}
