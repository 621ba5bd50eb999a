// parley register: a new account, and a session for it.
import { callHttp } from "@parley/client";
import { register } from "@parley/protocol";
import type { Command } from "commander";
import { logIn } from "../account.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { askPassword, givenPassword } from "../password.ts";

export function registerCommand(): Command {
  return command("register", "Make an account and log in, where the server lets anybody do so.", [
    "parley register --user carol",
    'parley register --user carol --name "Carol C." --password-file password.txt',
  ])
    .option("--name <name>", "what others see")
    .action(
      action<{ name?: string }>(async ({ account, output, flags }) => {
        const { user, server, device } = account;
        if (user === undefined || flags.user === undefined) throw new UsageError("register whom? --user NAME");
        const password = givenPassword(flags) ?? (await askPassword("A password: "));
        const name = flags.name === undefined ? {} : { name: flags.name };
        await callHttp(server.url, register, { username: user, password, ...name });
        const { uid, clientId } = await logIn(server, user, password, device);
        output.result({ server: server.url, uid, clientId }, `registered and logged in as ${uid}, device ${clientId}`);
      }),
    );
}
