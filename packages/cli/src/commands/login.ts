// parley login: a session for this device, kept for the other commands.
import type { Command } from "commander";
import { logIn } from "../account.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { askPassword, givenPassword } from "../password.ts";

export function loginCommand(): Command {
  return command("login", "Log in; the session is kept in ~/.config/parley for the other commands.", [
    "parley login --user alice",
    "parley login --user alice --device phone --server https://chat.example.org",
    "parley login --user alice --password-file password.txt",
    "parley login --user alice --account shop",
  ])
    .option("--account <uid>", "another account of this login; later commands are this one's, or any one's with --user")
    .action(
      action<{ account?: string }>(async ({ account, output, flags }) => {
        if (account.user === undefined) throw new UsageError("login as whom? --user NAME");
        const password = givenPassword(flags) ?? (await askPassword(`Password of ${account.user}: `));
        const session = await logIn(account.server, account.user, password, account.device, flags.account);
        const { uid, clientId, expiresAt, mqtt, topics } = session;
        output.result(
          { server: account.server.url, uid, clientId, expiresAt, mqtt: { ...mqtt, password: undefined }, topics },
          `logged in at ${account.server.url} as ${uid}, device ${clientId}`,
        );
      }),
    );
}
