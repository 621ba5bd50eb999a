// parley accounts: those that your login has, one more, and letting one go.
import { accountsAdd, accountsList, accountsRelease } from "@parley/protocol";
import { Command } from "commander";
import { action, command } from "../command.ts";
import { printable } from "../output.ts";
import { askPassword, firstLineOf, givenPassword } from "../password.ts";

export function accountsCommand(): Command {
  const accounts = new Command("accounts").description("The accounts of your login; parley login --account uses one.");
  for (const one of [list(), add(), join(), release()]) accounts.addCommand(one);
  return accounts.addHelpText(
    "after",
    "\nExamples:\n  $ parley accounts add shop --name 'The shop'\n  $ parley login --user alice --account shop",
  );
}

function list(): Command {
  return command("list", "The accounts of your login; only you are told which they are.", [
    "parley accounts list",
  ]).action(
    action(async ({ account, output }) => {
      const { accounts } = await account.call(accountsList, {});
      for (const one of accounts) {
        const state = one.state === "active" ? "" : one.state;
        output.result(one, [one.uid, printable(one.name), state].filter(Boolean).join("  "));
      }
    }),
  );
}

function add(): Command {
  return command("add <uid>", "Make one more account, with the same password.", [
    "parley accounts add shop --name 'The shop'",
  ])
    .option("--name <name>", "what others see")
    .action(
      action<{ name?: string }>(async ({ account, output, flags: { name } }, wanted = "") => {
        const { uid } = await account.call(accountsAdd, { uid: wanted, ...(name === undefined ? {} : { name }) });
        output.result({ uid }, `${uid} is an account of your login`);
      }),
    );
}

function join(): Command {
  return command(
    "join <uid>",
    "Take an account that exists into your login; its own password ends, as its sessions do.",
    ["parley accounts join old-alice", "parley accounts join old-alice --its-password-file password.txt"],
  )
    .option("--its-password-file <file>", "the account's present password is its first line")
    .action(
      action<{ itsPasswordFile?: string }>(
        async ({ account, output, flags: { itsPasswordFile: file } }, wanted = "") => {
          const asked = () => askPassword(`Password of ${wanted}: `);
          const password = file === undefined ? await asked() : firstLineOf("--its-password-file", file);
          const { uid } = await account.call(accountsAdd, { uid: wanted, password });
          output.result({ uid }, `${uid} is an account of your login`);
        },
      ),
    );
}

function release(): Command {
  return command("release <uid>", "Let an account go, with all that it has, to a login of its own.", [
    "parley accounts release shop",
    "parley accounts release shop --password-file password.txt --new-password-file new.txt",
  ])
    .option("--new-password-file <file>", "the password that it has from then on is its first line")
    .action(
      action<{ newPasswordFile?: string }>(async ({ account, output, flags }, uid = "") => {
        const password = givenPassword(flags) ?? (await askPassword("Your present password: "));
        const file = flags.newPasswordFile;
        const asked = () => askPassword(`A new password for ${uid}: `);
        const newPassword = file === undefined ? await asked() : firstLineOf("--new-password-file", file);
        const released = await account.call(accountsRelease, { uid, password, newPassword });
        output.result(released, `${released.uid} is a login of its own`);
      }),
    );
}
