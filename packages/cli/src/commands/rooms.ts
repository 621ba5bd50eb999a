// parley rooms: making rooms and changing who is in them.
import {
  roomsCreate,
  roomsInvite,
  roomsJoin,
  roomsLeave,
  roomsList,
  roomsMembers,
  roomsRemove,
} from "@parley/protocol";
import { Command } from "commander";
import { readRoomId } from "../address.ts";
import { action, command } from "../command.ts";
import { printable } from "../output.ts";

export function roomsCommand(): Command {
  const rooms = new Command("rooms").description("Make rooms and change who is in them.");
  for (const one of [create(), list(), members(), invite(), remove(), join(), leave()]) rooms.addCommand(one);
  return rooms.addHelpText(
    "after",
    "\nExamples:\n  $ parley rooms create General --id general bob carol\n  $ parley rooms list",
  );
}

function create(): Command {
  return command("create <name> [uids...]", "Make a room with these members; you own it.", [
    "parley rooms create General bob carol",
    "parley rooms create Lobby --id lobby --open",
  ])
    .option("--id <id>", "the room's id; made up when absent")
    .option("--open", "anybody may join")
    .action(
      action<{ id?: string; open?: boolean }>(async ({ account, output, flags }, name = "", ...uids) => {
        const room = await account.call(roomsCreate, {
          name,
          ...(uids.length > 0 && { members: uids }),
          ...(flags.id !== undefined && { id: readRoomId(flags.id) }),
          ...(flags.open && { settings: { join: "open" as const } }),
        });
        output.result(room, `${room.conv}  ${printable(room.name)}`);
      }),
    );
}

function list(): Command {
  return command("list", "The rooms you are a member of.", ["parley rooms list", "parley rooms list --json"]).action(
    action(async ({ account, output }) => {
      const { rooms } = await account.call(roomsList, {});
      for (const room of rooms) output.result(room, `${room.conv}  ${printable(room.name)}`);
      if (rooms.length === 0) output.note("no rooms yet; parley rooms create NAME");
    }),
  );
}

function members(): Command {
  return command("members <room>", "Who is in a room.", ["parley rooms members '#general'"]).action(
    action(async ({ account, output }, room = "") => {
      const found = await account.call(roomsMembers, { id: readRoomId(room) });
      for (const member of found.members) output.result(member, `${member.uid}  ${member.role}`);
    }),
  );
}

const changedText = (verb: string, uids: string[]) =>
  uids.length > 0 ? `${verb} ${uids.join(", ")}` : "nothing changed";

function invite(): Command {
  return command("invite <room> <uids...>", "Add members, at once.", [
    "parley rooms invite '#general' dave erin",
  ]).action(
    action(async ({ account, output }, room = "", ...uids) => {
      const changed = await account.call(roomsInvite, { id: readRoomId(room), uids });
      output.result(changed, changedText("added", changed.uids));
    }),
  );
}

function remove(): Command {
  return command("remove <room> <uid>", "Remove a member.", ["parley rooms remove '#general' dave"]).action(
    action(async ({ account, output }, room = "", uid = "") => {
      const changed = await account.call(roomsRemove, { id: readRoomId(room), uid });
      output.result(changed, changedText("removed", changed.uids));
    }),
  );
}

function join(): Command {
  return command("join <room>", "Join a room that is open.", ["parley rooms join '#lobby'"]).action(
    action(async ({ account, output }, room = "") => {
      const changed = await account.call(roomsJoin, { id: readRoomId(room) });
      output.result(changed, changed.uids.length > 0 ? `joined ${room}` : "you are a member already");
    }),
  );
}

function leave(): Command {
  return command("leave <room>", "Leave a room.", ["parley rooms leave '#general'"]).action(
    action(async ({ account, output }, room = "") => {
      const changed = await account.call(roomsLeave, { id: readRoomId(room) });
      output.result(changed, `left ${room}`);
    }),
  );
}
