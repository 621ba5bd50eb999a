// What all commands share: their flags, how they get their account and output, and how their examples are shown.
import { Command } from "commander";
import { type Account, type AccountFlags, openAccount } from "./account.ts";
import { type Output, openOutput } from "./output.ts";

export interface Context<F = object> {
  account: Account;
  output: Output;
  flags: F & AccountFlags;
}

/** A command with the flags that every command has, and its examples behind the help. */
export function command(nameAndArguments: string, description: string, examples: string[]): Command {
  const lines = examples.map((example) => `  $ ${example}`);
  const [name = "", ...parameters] = nameAndArguments.split(" ");
  const made = parameters.length > 0 ? new Command(name).arguments(parameters.join(" ")) : new Command(name);
  return made
    .description(description)
    .option("-s, --server <url>", "the server (PARLEY_URL, else ./.parley/run.json, else http://127.0.0.1:8080)")
    .option("-u, --user <uid>", "who you are (PARLEY_USER, else the latest login)")
    .option("--device <name>", "name of the device: client id {uid}:{name} (default: cli)")
    .option("--password-file <file>", "logs in with its first line when there is no login yet (or PARLEY_PASSWORD)")
    .option("--password <password>", "the same, but every user of this machine can see it in the list of processes")
    .option("--json", "JSON instead of text, one object a line")
    .addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** Opens what the command's flags say and runs it. Commander hands the flags and itself in last. */
export function action<F>(work: (context: Context<F>, ...args: string[]) => Promise<void>) {
  return async (...given: unknown[]): Promise<void> => {
    const flags = given.at(-2) as F & AccountFlags;
    const args = given.slice(0, -2).flat() as string[];
    await work({ account: openAccount(flags), output: openOutput(flags.json === true), flags }, ...args);
  };
}
