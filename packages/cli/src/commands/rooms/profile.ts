// parley rooms: what a room is called and allows, its archive and its end.
import { type RoomSettings, roomsArchive, roomsDelete, roomsGet, roomsUnarchive, roomsUpdate } from "@parley/protocol";
import type { Command } from "commander";
import { readRoomId } from "../../address.ts";
import { action, command } from "../../command.ts";
import { UsageError } from "../../failure.ts";
import { printable } from "../../output.ts";

export function profileCommands(): Command[] {
  return [show(), set(), archive(), unarchive(), remove()];
}

function show(): Command {
  return command("show <room>", "What a room is, and its settings.", ["parley rooms show '#general'"]).action(
    action(async ({ account, output }, room = "") => {
      const found = await account.call(roomsGet, { id: readRoomId(room) });
      const { settings, ...fields } = found;
      const lines = Object.entries({ ...fields, ...settings }).filter(([, value]) => value !== "");
      output.result(found, lines.map(([name, value]) => `${name}  ${printable(String(value))}`).join("\n"));
    }),
  );
}

interface SetFlags {
  name?: string;
  topic?: string;
  description?: string;
  avatar?: string;
  group?: string;
  setting?: string[];
}

function set(): Command {
  return command("set <room>", "Change a room's name, texts and settings; an empty text takes it away.", [
    "parley rooms set '#general' --topic 'tea at five'",
    "parley rooms set '#news' --setting write=admin --setting slowModeSeconds=30",
  ])
    .option("--name <name>", "its name")
    .option("--topic <text>", "what it is about now")
    .option("--description <text>", "what it is")
    .option("--avatar <url>", "its picture")
    .option("--group <name>", "the group that clients show it in")
    .option("--setting <name=value...>", "join, invitations, history, write, invite, pin, mentionAll, slowModeSeconds")
    .action(
      action<SetFlags>(async ({ account, output, flags }, room = "") => {
        const { name, topic, description, avatar, group, setting } = flags;
        const texts = Object.entries({ topic, description, avatar, group }).filter(([, text]) => text !== undefined);
        const changed = await account.call(roomsUpdate, {
          id: readRoomId(room),
          ...(name !== undefined && { name }),
          ...Object.fromEntries(texts.map(([field, text]) => [field, text === "" ? null : text])),
          ...(setting && { settings: readSettings(setting) }),
        });
        output.result(changed, `${changed.conv}  ${printable(changed.name)}`);
      }),
    );
}

// The server says which there are and what they may be.
function readSettings(given: readonly string[]): RoomSettings {
  const pairs = given.map((text) => {
    const [, name = "", value = ""] = /^(\w+)=(.+)$/.exec(text) ?? [];
    if (name === "") throw new UsageError(`--setting ${text}: name=value is needed`);
    return [name, /^\d{1,9}$/.test(value) ? Number(value) : value] as const;
  });
  return Object.fromEntries(pairs) as RoomSettings;
}

function archive(): Command {
  return command("archive <room>", "Close a room for writing and joining.", ["parley rooms archive '#old'"]).action(
    action(async ({ account, output }, room = "") => {
      const changed = await account.call(roomsArchive, { id: readRoomId(room) });
      output.result(changed, changed.seq > 0 ? `archived ${room}` : "nothing changed");
    }),
  );
}

function unarchive(): Command {
  return command("unarchive <room>", "Open an archived room again.", ["parley rooms unarchive '#old'"]).action(
    action(async ({ account, output }, room = "") => {
      const changed = await account.call(roomsUnarchive, { id: readRoomId(room) });
      output.result(changed, changed.seq > 0 ? `opened ${room} again` : "nothing changed");
    }),
  );
}

function remove(): Command {
  return command("delete <room>", "End a room: nobody reads anything of it again.", [
    "parley rooms delete '#old'",
  ]).action(
    action(async ({ account, output }, room = "") => {
      const changed = await account.call(roomsDelete, { id: readRoomId(room) });
      output.result(changed, `deleted ${room}`);
    }),
  );
}
