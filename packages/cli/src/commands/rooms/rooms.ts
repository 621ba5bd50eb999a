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
import { readRoomId } from "../../address.ts";
import { action, command } from "../../command.ts";
import { printable } from "../../output.ts";
import { changedText } from "./changed.ts";
import { guestCommands } from "./guests.ts";
import { profileCommands } from "./profile.ts";
import { standingCommands } from "./standing.ts";

export function roomsCommand(): Command {
  const rooms = new Command("rooms").description("Make rooms and change who is in them.");
  const own = [create(), list(), members(), invite(), remove(), join(), leave()];
  for (const one of [...own, ...standingCommands(), ...guestCommands(), ...profileCommands()]) rooms.addCommand(one);
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
      let found = 0;
      for (let page: string | null | undefined; page !== null; ) {
        const { rooms, next } = await account.call(roomsList, page === undefined ? {} : { page });
        for (const room of rooms) output.result(room, `${room.conv}  ${printable(room.name)}`);
        found += rooms.length;
        page = next;
      }
      if (found === 0) output.note("no rooms yet; parley rooms create NAME");
    }),
  );
}

function members(): Command {
  return command("members <room>", "Who is in a room.", [
    "parley rooms members '#general'",
    "parley rooms members '#general' --asking",
  ])
    .option("--asking", "who asks to be let in")
    .option("--invited", "who was invited and has not answered")
    .option("--banned", "who is banned")
    .action(
      action<{ asking?: boolean; invited?: boolean; banned?: boolean }>(
        async ({ account, output, flags }, room = "") => {
          const standing = (["asking", "invited", "banned"] as const).find((one) => flags[one]);
          for (let page: string | null | undefined; page !== null; ) {
            const found = await account.call(roomsMembers, {
              id: readRoomId(room),
              ...(standing && { standing }),
              ...(page !== undefined && { page }),
            });
            for (const member of found.members) {
              const { uid, nick, role } = member;
              const shown = nick === uid ? "" : `  ${printable(nick)}`;
              output.result(member, `${uid}  ${standing ?? role}${shown}`);
            }
            page = found.next;
          }
        },
      ),
    );
}

function invite(): Command {
  return command("invite <room> <uids...>", "Add members, or ask them where the room or they want that.", [
    "parley rooms invite '#general' dave erin",
  ]).action(
    action(async ({ account, output }, room = "", ...uids) => {
      const changed = await account.call(roomsInvite, { id: readRoomId(room), uids });
      const asked = changed.invited ? [`asked ${changed.invited.join(", ")}`] : [];
      const added = changed.uids.length > 0 || asked.length === 0 ? [changedText("added", changed.uids)] : [];
      output.result(changed, [...added, ...asked].join("; "));
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
  return command("join <room>", "Join a room that is open or has invited you, or ask to be let in.", [
    "parley rooms join '#lobby'",
    "parley rooms join '#secret' --link n3Jw…",
  ])
    .option("--link <link>", "an invite link")
    .action(
      action<{ link?: string }>(async ({ account, output, flags }, room = "") => {
        const id = readRoomId(room);
        const changed = await account.call(roomsJoin, { id, ...(flags.link !== undefined && { link: flags.link }) });
        if (changed.asking) return output.result(changed, `asked to be let into ${room}`);
        output.result(changed, changed.uids.length > 0 ? `joined ${room}` : "nothing changed");
      }),
    );
}

function leave(): Command {
  return command("leave <room>", "Leave a room.", [
    "parley rooms leave '#general'",
    "parley rooms leave '#general' --successor bob",
  ])
    .option("--successor <uid>", "who owns the room from then on, where you are an owner")
    .action(
      action<{ successor?: string }>(async ({ account, output, flags }, room = "") => {
        const { successor } = flags;
        const changed = await account.call(roomsLeave, { id: readRoomId(room), ...(successor && { successor }) });
        output.result(changed, `left ${room}`);
      }),
    );
}
