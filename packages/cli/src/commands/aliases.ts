// parley aliases: other names of your account.
import { aliasesAdd, aliasesList, aliasesRemove, type ResultOf } from "@parley/protocol";
import { Command } from "commander";
import { action, command } from "../command.ts";
import type { Output } from "../output.ts";

export function aliasesCommand(): Command {
  const aliases = new Command("aliases").description("Other names of your account: you log in and are found by them.");
  for (const one of [list(), add(), remove()]) aliases.addCommand(one);
  return aliases.addHelpText("after", "\nExamples:\n  $ parley aliases add alice.smith\n  $ parley aliases list");
}

function list(): Command {
  return command("list", "Your aliases.", ["parley aliases list"]).action(
    action(async ({ account, output }) => {
      const answer = await account.call(aliasesList, {});
      if (answer.aliases.length > 0) print(output, answer);
      else output.note("none yet");
    }),
  );
}

function add(): Command {
  return command("add <alias>", "Take one more name; one of another account of your login moves to this one.", [
    "parley aliases add alice.smith",
    "parley aliases add the-shop --user shop",
  ]).action(
    action(async ({ account, output }, alias = "") => print(output, await account.call(aliasesAdd, { alias }))),
  );
}

function remove(): Command {
  return command("remove <alias>", "Give a name back: anybody may take it.", [
    "parley aliases remove alice.smith",
  ]).action(
    action(async ({ account, output }, alias = "") => {
      await account.call(aliasesRemove, { alias });
      output.result({ removed: alias }, alias);
    }),
  );
}

function print(output: Output, answer: ResultOf<typeof aliasesList>): void {
  output.result(answer, answer.aliases.join("\n"));
}
