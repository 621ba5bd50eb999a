import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "./program.ts";

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

// bench hands everything on to the load program, which has a help of its own.
const commands = allCommands(createProgram()).filter((command) => command.name() !== "bench");

test("every command has a help with an example", () => {
  assert.ok(commands.length >= 14);
  for (const command of commands) assert.match(helpOf(command), /Examples:\n {2}\$ (?:.*\| )?parley /, command.name());
});

test("every command that does something on a server takes --server, --user and --json", () => {
  const isOperators = (one: Command) =>
    ["backup", "restore", "rebuild", "secrets"].includes(one.name()) ||
    ["store", "users", "broker"].includes(one.parent?.name() ?? "") ||
    (one.parent?.name() === "push" && ["test", "replay"].includes(one.name()));
  for (const command of commands.filter((one) => one.commands.length === 0 && !isOperators(one)))
    for (const flag of ["--server", "--user", "--device", "--json"])
      assert.ok(
        command.options.some(({ long }) => long === flag),
        `${command.name()} ${flag}`,
      );
});
