// parley rooms: roles, bans and silence.
import { type Role, roomsBan, roomsMute, roomsSetRole, roomsTransfer, roomsUnban, roomsUnmute } from "@parley/protocol";
import type { Command } from "commander";
import { readRoomId } from "../../address.ts";
import { action, command } from "../../command.ts";
import { UsageError } from "../../failure.ts";
import { readNumber } from "../../read-number.ts";
import { changedText } from "./changed.ts";

export function standingCommands(): Command[] {
  return [setRole(), transfer(), ban(), unban(), mute(), unmute()];
}

function setRole(): Command {
  return command("role <room> <uid> <role>", "Make a member owner, admin or member.", [
    "parley rooms role '#general' bob admin",
  ]).action(
    action(async ({ account, output }, room = "", uid = "", role = "") => {
      const changed = await account.call(roomsSetRole, { id: readRoomId(room), uid, role: readRole(role) });
      output.result(changed, changedText(`${role}:`, changed.uids));
    }),
  );
}

function readRole(text: string): Role {
  const role = (["owner", "admin", "member"] as const).find((one) => one === text);
  if (role) return role;
  throw new UsageError(`${text}: owner, admin or member is needed`);
}

function transfer(): Command {
  return command("transfer <room> <uid>", "Hand a room over; you are an admin from then on.", [
    "parley rooms transfer '#general' bob",
  ]).action(
    action(async ({ account, output }, room = "", uid = "") => {
      const changed = await account.call(roomsTransfer, { id: readRoomId(room), uid });
      output.result(changed, changedText("handed over to", changed.uids));
    }),
  );
}

function ban(): Command {
  return command("ban <room> <uids...>", "Remove users and keep them out.", [
    "parley rooms ban '#general' mallory",
  ]).action(
    action(async ({ account, output }, room = "", ...uids) => {
      const changed = await account.call(roomsBan, { id: readRoomId(room), uids });
      output.result(changed, changedText("banned", changed.uids));
    }),
  );
}

function unban(): Command {
  return command("unban <room> <uid>", "Let a user come in again.", ["parley rooms unban '#general' mallory"]).action(
    action(async ({ account, output }, room = "", uid = "") => {
      const changed = await account.call(roomsUnban, { id: readRoomId(room), uid });
      output.result(changed, changedText("unbanned", changed.uids));
    }),
  );
}

function mute(): Command {
  return command("mute <room> <uid>", "Keep a member from writing.", [
    "parley rooms mute '#general' bob --seconds 3600",
  ])
    .option("--seconds <n>", "for how long (default: until it is taken back)")
    .action(
      action<{ seconds?: string }>(async ({ account, output, flags }, room = "", uid = "") => {
        const seconds = flags.seconds === undefined ? undefined : readNumber("--seconds", flags.seconds, 1);
        const changed = await account.call(roomsMute, { id: readRoomId(room), uid, ...(seconds && { seconds }) });
        output.result(changed, changedText("muted", changed.uids));
      }),
    );
}

function unmute(): Command {
  return command("unmute <room> <uid>", "Let a member write again.", ["parley rooms unmute '#general' bob"]).action(
    action(async ({ account, output }, room = "", uid = "") => {
      const changed = await account.call(roomsUnmute, { id: readRoomId(room), uid });
      output.result(changed, changedText("unmuted", changed.uids));
    }),
  );
}
