// parley users: accounts as an administrator governs them, with a server key.
import { callHttp } from "@parley/client";
import { usersAccount, usersDisable, usersEnable, usersRemove } from "@parley/protocol";
import { Command } from "commander";
import { openOutput } from "../output.ts";
import { serverKeyOf } from "../password.ts";
import { findServer } from "../server.ts";

interface Flags {
  server?: string;
  keyFile?: string;
  json?: boolean;
}

const acts = [
  ["show", usersAccount, "Show what has become of an account."],
  ["disable", usersDisable, "Log a user out everywhere and let nobody in."],
  ["remove", usersRemove, "Erase an account and all that is kept of it. There is no way back."],
  ["enable", usersEnable, "Let a disabled user in again."],
] as const;

export function usersCommand(): Command {
  const users = new Command("users").description(
    "Govern accounts, with a server key (how one is made: docs/operations.md, Secrets).",
  );
  for (const act of acts) users.addCommand(actCommand(act));
  return users.addHelpText("after", "\nExamples:\n  $ parley users disable mallory --key-file server-key.txt");
}

function actCommand([name, method, description]: (typeof acts)[number]): Command {
  return new Command(name)
    .description(description)
    .argument("<uid>")
    .option("-s, --server <url>", "the server (PARLEY_URL, else ./.parley/run.json, else http://127.0.0.1:8080)")
    .option("--key-file <file>", "the server key is its first line (or PARLEY_SERVER_KEY)")
    .option("--json", "JSON instead of text, one object a line")
    .addHelpText("after", `\nExamples:\n  $ parley users ${name} mallory --key-file server-key.txt`)
    .action(async (uid: string, flags: Flags) => {
      const output = openOutput(flags.json === true);
      const account = await callHttp(findServer(flags.server).url, method, { uid }, { token: serverKeyOf(flags) });
      output.result(account, `${account.uid}  ${account.state}`);
    });
}
