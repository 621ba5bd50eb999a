// parley password, logout, erase: changing and ending what you have on a server.
import { createInterface } from "node:readline/promises";
import { accountPassword, accountRemove, logout } from "@parley/protocol";
import type { Command } from "commander";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { askPassword, firstLineOf, givenPassword } from "../password.ts";

export function leaveCommands(): Command[] {
  return [password(), logOut(), erase()];
}

function password(): Command {
  return command("password", "Change your password; every other login is ended.", [
    "parley password",
    "parley password --password-file old.txt --new-password-file new.txt",
  ])
    .option("--new-password-file <file>", "its first line; asked for without it")
    .action(
      action<{ newPasswordFile?: string }>(async ({ account, output, flags }) => {
        if (account.user === undefined) throw new UsageError("whose password? --user NAME");
        const present = givenPassword(flags) ?? (await askPassword(`Password of ${account.user}: `));
        const newPassword =
          flags.newPasswordFile === undefined
            ? await askTwice()
            : firstLineOf("--new-password-file", flags.newPasswordFile);
        await account.call(accountPassword, { password: present, newPassword });
        output.result({ changed: true }, "changed; every other login is ended");
      }),
    );
}

async function askTwice(): Promise<string> {
  const first = await askPassword("New password: ");
  if (process.stdin.isTTY && (await askPassword("The same again: ")) !== first)
    throw new UsageError("the two are not the same; nothing was changed");
  return first;
}

function logOut(): Command {
  return command("logout", "Log this device out; its session is forgotten.", [
    "parley logout",
    "parley logout --user alice --device phone",
  ]).action(
    action(async ({ account, output }) => {
      await account.call(logout, {});
      account.forget();
      output.result({ loggedOut: `${account.user}:${account.device}` }, `logged out ${account.user}:${account.device}`);
    }),
  );
}

function erase(): Command {
  return command("erase <uid>", "Erase your account and all that is kept of it. There is no way back.", [
    "parley erase alice",
    "parley erase alice --yes --password-file password.txt",
  ])
    .option("--yes", "do not ask")
    .action(
      action<{ yes?: boolean }>(async ({ account, output, flags }, uid = "") => {
        if (uid !== account.user) throw new UsageError(`you are ${account.user}: parley erase ${account.user}`);
        if (!flags.yes) await confirm(uid);
        const given = givenPassword(flags) ?? (await askPassword(`Password of ${uid}: `));
        await account.call(accountRemove, { password: given });
        account.forget();
        output.result({ erased: uid }, `${uid} is erased; messages leave their places empty`);
      }),
    );
}

async function confirm(uid: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError("nobody can be asked here: --yes erases without a question");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`All that is kept of ${uid} goes, for good. Type ${uid} to erase it: `);
  lines.close();
  if (answer.trim() !== uid) throw new UsageError("nothing was erased");
}
