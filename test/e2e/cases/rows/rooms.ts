// What a room is: its making, texts and settings, invite links, archive and end.
import assert from "node:assert/strict";
import {
  type ParamsOf,
  roomsArchive,
  roomsCreate,
  roomsDelete,
  roomsGet,
  roomsLinks,
  roomsList,
  roomsMakeLink,
  roomsNest,
  roomsRemoveLink,
  roomsUnarchive,
  roomsUnnest,
  roomsUpdate,
} from "@parley/protocol";
import { type Foreign, foreignRoom, foreignUids, type Result, row, type WhoMayNot } from "../row.ts";
import type { World } from "../world.ts";

const byMember: WhoMayNot = { "by a member": ({ bob }) => ({ code: "forbidden", as: bob }) };
const nothingChanged = ({ seq }: Result) => assert.equal(seq, 0);

/** A room that goes on to another one. */
async function nesting({ room, call, ann }: World): Promise<{ id: string; rooms: string[] }> {
  const [{ id }, inner] = [await room(), await room()];
  await call(ann, roomsNest, { id, rooms: [inner.id] });
  return { id, rooms: [inner.id] };
}

function foreignNested({ theirs, prefix }: World): Foreign<{ id: string; rooms: string[] }>[] {
  const of = (id: string) => ({ rooms: [id] });
  return [
    foreignRoom({ theirs, prefix } as World),
    { code: "not_found", theirs: of(theirs.room), none: of(`${prefix}nowhere`) },
  ];
}

export const roomRows = [
  row(roomsCreate, {
    good: ({ prefix, bob }) => ({ params: { id: `${prefix}made`, name: "Made", members: [bob.uid], topic: "tea" } }),
    answer: ({ name, topic, members, role }) =>
      assert.deepEqual([name, topic, members, role], ["Made", "tea", 2, "owner"]),
    foreign: (world) => [
      ...foreignUids("members")<ParamsOf<typeof roomsCreate>>(world),
      {
        code: "not_found",
        theirs: { nested: [{ id: world.theirs.room }] },
        none: { nested: [{ id: `${world.prefix}nowhere` }] },
      },
    ],
    refused: { "with an id that is taken": ({ theirs }) => ({ code: "conflict", params: { id: theirs.room } }) },
    again: "conflict",
  }),
  row(roomsGet, {
    good: async ({ room }) => ({ params: { id: (await room()).id } }),
    answer: ({ name, role }) => assert.deepEqual([name, role], ["Room", "owner"]),
    foreign: foreignRoom,
  }),
  row(roomsList, {
    async good({ room }) {
      await room();
      await room();
      return { params: {} };
    },
  }),
  row(roomsUpdate, {
    good: async ({ room }) => ({ params: { id: (await room()).id, name: "Changed", topic: null } }),
    answer: ({ name }) => assert.equal(name, "Changed"),
    foreign: foreignRoom,
    refused: byMember,
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(roomsArchive, {
    good: async ({ room }) => ({ params: { id: (await room()).id } }),
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsUnarchive, {
    async good({ room, call, ann }) {
      const { id } = await room();
      await call(ann, roomsArchive, { id });
      return { params: { id } };
    },
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsDelete, {
    good: async ({ room }) => ({ params: { id: (await room()).id } }),
    foreign: foreignRoom,
    refused: byMember,
    again: "not_found",
  }),
  row(roomsMakeLink, {
    good: async ({ room }) => ({ params: { id: (await room()).id, seconds: 60, uses: 1 } }),
    answer: ({ uses, createdBy }) => assert.deepEqual([uses, createdBy], [1, "ann"]),
    foreign: foreignRoom,
    refused: byMember,
    again: ({ uses }) => assert.equal(uses, 1),
  }),
  row(roomsLinks, {
    async good({ room, call, ann }) {
      const { id } = await room();
      await call(ann, roomsMakeLink, { id });
      return { params: { id } };
    },
    answer: ({ links }) => assert.deepEqual(Object.keys(links[0]).toSorted(), ["createdAt", "createdBy", "id"]),
    foreign: foreignRoom,
    refused: byMember,
  }),
  row(roomsRemoveLink, {
    async good({ room, call, ann }) {
      const { id } = await room();
      return { params: { id, link: (await call(ann, roomsMakeLink, { id })).id } };
    },
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsNest, {
    async good({ room }) {
      const [{ id }, inner] = [await room(), await room()];
      return { params: { id, rooms: [inner.id], mode: "read" as const } };
    },
    answer: ({ rooms }) => assert.equal(rooms.length, 1),
    foreign: foreignNested,
    refused: {
      ...byMember,
      "that is none of the caller's to manage": async ({ room, bob }) => ({
        code: "forbidden",
        as: bob,
        params: { id: (await room()).id },
      }),
      "the room itself": (_, { id }) => ({ code: "invalid_packet", params: { rooms: [id] } }),
    },
    again: nothingChanged,
  }),
  row(roomsUnnest, {
    good: async (world) => ({ params: await nesting(world) }),
    answer: ({ rooms }) => assert.equal(rooms.length, 1),
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
];
