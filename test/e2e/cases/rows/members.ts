// Who is in a room and as what.
import assert from "node:assert/strict";
import {
  roomsAdmit,
  roomsBan,
  roomsBlock,
  roomsInvitations,
  roomsInvite,
  roomsJoin,
  roomsLeave,
  roomsMembers,
  roomsMute,
  roomsRefuse,
  roomsRemove,
  roomsRemoveDevice,
  roomsSetInvitations,
  roomsSetMode,
  roomsSetRole,
  roomsTransfer,
  roomsUnban,
  roomsUnblock,
  roomsUnmute,
} from "@parley/protocol";
import { foreignRoom, foreignUids, type Result, row, type WhoMayNot } from "../row.ts";
import type { World } from "../world.ts";

const byMember: WhoMayNot = { "by a member": ({ bob }) => ({ code: "forbidden", as: bob }) };
const nothingChanged = ({ seq, uids }: Result) => assert.deepEqual([seq, uids], [0, []]);
const changedBob = ({ uids }: Result) => assert.deepEqual(uids, ["bob"]);

const foreignRoomAndUids = (world: World) => [
  foreignRoom<{ id: string; uids: string[] }>(world),
  ...foreignUids("uids")<{ id: string; uids: string[] }>(world),
];

const aboutBob = async ({ room, bob }: World) => ({ params: { id: (await room()).id, uid: bob.uid } });

/** A room that asks: bob is invited and asks to be let in. */
async function pending({ room, call, ann, bob }: World, standing: "invited" | "asking"): Promise<string> {
  const { id } = await room({ members: [], settings: { join: "ask", invitations: "ask" } });
  if (standing === "invited") await call(ann, roomsInvite, { id, uids: [bob.uid] });
  else await call(bob, roomsJoin, { id });
  return id;
}

export const memberRows = [
  row(roomsMembers, {
    good: async ({ room }) => ({ params: { id: (await room()).id } }),
    answer: ({ members }) =>
      assert.deepEqual(
        members.map(({ uid, role }: Result) => [uid, role]),
        [
          ["ann", "owner"],
          ["bob", "member"],
        ],
      ),
    foreign: foreignRoom,
    refused: {
      "who is banned, by a member": ({ bob }) => ({
        code: "forbidden",
        as: bob,
        params: { standing: "banned" as const },
      }),
    },
  }),
  row(roomsInvite, {
    good: async ({ room, bob }) => ({ params: { id: (await room({ members: [] })).id, uids: [bob.uid] } }),
    answer: changedBob,
    foreign: foreignRoomAndUids,
    refused: {
      "by a member": async ({ bob, room }) => ({ code: "forbidden", as: bob, params: { id: (await room()).id } }),
    },
    again: nothingChanged,
  }),
  row(roomsRemove, {
    good: aboutBob,
    answer: changedBob,
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsJoin, {
    async good({ room, bob }) {
      return { params: { id: (await room({ members: [], settings: { join: "open" } })).id }, as: bob };
    },
    answer: changedBob,
    foreign: ({ theirs, prefix }) => [
      { code: "not_found", theirs: { id: theirs.room }, none: { id: `${prefix}nowhere` } },
      {
        code: "not_found",
        theirs: { id: theirs.room, link: "a".repeat(43) },
        none: { id: `${prefix}nowhere`, link: "a".repeat(43) },
      },
    ],
    refused: {
      "with a link that is none": async ({ room, eve }) => ({
        code: "forbidden",
        params: { id: (await room({ settings: { join: "ask" } })).id, link: "a".repeat(43) },
        as: eve,
      }),
    },
    again: nothingChanged,
  }),
  row(roomsLeave, {
    good: async ({ room, bob }) => ({ params: { id: (await room()).id }, as: bob }),
    answer: changedBob,
    foreign: foreignRoom,
    refused: {
      "by a member who names who follows": ({ ann }) => ({ code: "forbidden", params: { successor: ann.uid } }),
    },
    again: "not_member",
  }),
  row(roomsSetRole, {
    good: async (world) => ({ params: { ...(await aboutBob(world)).params, role: "admin" as const } }),
    answer: changedBob,
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsTransfer, {
    good: aboutBob,
    foreign: foreignRoom,
    refused: byMember,
    again: "forbidden",
  }),
  row(roomsBan, {
    good: async ({ room, bob }) => ({ params: { id: (await room()).id, uids: [bob.uid] } }),
    answer: changedBob,
    foreign: foreignRoomAndUids,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsUnban, {
    async good(world) {
      const { params } = await aboutBob(world);
      await world.call(world.ann, roomsBan, { id: params.id, uids: [params.uid] });
      return { params };
    },
    answer: changedBob,
    foreign: foreignRoom,
    refused: {
      "by a member": async ({ bob, room }) => ({ code: "forbidden", as: bob, params: { id: (await room()).id } }),
    },
    again: nothingChanged,
  }),
  row(roomsMute, {
    good: async (world) => ({ params: { ...(await aboutBob(world)).params, seconds: 3_600 } }),
    answer: changedBob,
    foreign: foreignRoom,
    refused: byMember,
    again: ({ uids }) => assert.deepEqual(uids, ["bob"]),
  }),
  row(roomsSetMode, {
    good: async (world) => ({ params: { ...(await aboutBob(world)).params, mode: "read" as const } }),
    answer: changedBob,
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsUnmute, {
    async good(world) {
      const { params } = await aboutBob(world);
      await world.call(world.ann, roomsMute, params);
      return { params };
    },
    answer: changedBob,
    foreign: foreignRoom,
    refused: byMember,
    again: nothingChanged,
  }),
  row(roomsRemoveDevice, {
    async good({ room, call, ann, bob }) {
      const { id } = await room({ members: [] });
      const devices = { [bob.uid]: [`${bob.uid}:pc`, `${bob.uid}:phone`] };
      await call(ann, roomsInvite, { id, uids: [bob.uid], devices });
      return { params: { id, uid: bob.uid, clientId: `${bob.uid}:pc` } };
    },
    answer: changedBob,
    foreign: foreignRoom,
    refused: {
      "of another, by a member": async ({ room, ann, bob }) => ({
        code: "forbidden",
        as: bob,
        params: { id: (await room()).id, uid: ann.uid, clientId: `${ann.uid}:pc` },
      }),
      "of who is there with all": async ({ room }) => ({ code: "conflict", params: { id: (await room()).id } }),
      "with a client id of another": ({ ann }) => ({ code: "invalid_packet", params: { clientId: ann.uid } }),
    },
    again: nothingChanged,
  }),
  row(roomsAdmit, {
    good: async (world) => ({ params: { id: await pending(world, "asking"), uids: [world.bob.uid] } }),
    answer: changedBob,
    foreign: foreignRoom,
    refused: {
      "by a member": async ({ bob, room }) => ({ code: "forbidden", as: bob, params: { id: (await room()).id } }),
    },
    again: nothingChanged,
  }),
  row(roomsRefuse, {
    good: async (world) => ({ params: { id: await pending(world, "invited") }, as: world.bob }),
    answer: changedBob,
    foreign: foreignRoom,
    refused: {
      "of others, by a member": async ({ bob, eve, room }) => ({
        code: "forbidden",
        as: bob,
        params: { id: (await room()).id, uids: [eve.uid] },
      }),
    },
    again: nothingChanged,
  }),
  row(roomsBlock, {
    good: async ({ room, bob }) => ({ params: { id: (await room()).id }, as: bob }),
    foreign: foreignRoom,
    again: nothingChanged,
  }),
  row(roomsUnblock, {
    async good({ room, call, bob }) {
      const { id } = await room();
      await call(bob, roomsBlock, { id });
      return { params: { id }, as: bob };
    },
    foreign: foreignRoom,
    again: nothingChanged,
  }),
  row(roomsInvitations, {
    async good(world) {
      await pending(world, "invited");
      await pending(world, "asking");
      return { params: {}, as: world.bob };
    },
    answer: ({ invitations }) => assert.ok(invitations.some(({ standing }: Result) => standing === "invited")),
  }),
  row(roomsSetInvitations, {
    async good({ person }) {
      return { params: { invitations: "ask" as const }, as: await person("shy") };
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
];
