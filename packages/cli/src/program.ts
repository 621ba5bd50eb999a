// The program: its commands, and how every failure becomes one line and an exit code.
import { Command, CommanderError } from "commander";
import { accountsCommand } from "./commands/accounts.ts";
import { aliasesCommand } from "./commands/aliases.ts";
import { backupCommand } from "./commands/backup.ts";
import { benchCommand } from "./commands/bench.ts";
import { brokerCommand } from "./commands/broker.ts";
import { chatCommand } from "./commands/chat.ts";
import { contentCommands } from "./commands/contents.ts";
import { conversationsCommand } from "./commands/conversations.ts";
import { devicesCommand } from "./commands/devices.ts";
import { disappearCommand } from "./commands/disappear.ts";
import { exportCommand } from "./commands/export.ts";
import { getCommand, infoCommand } from "./commands/get.ts";
import { historyCommand } from "./commands/history.ts";
import { leaveCommands } from "./commands/leave.ts";
import { listenCommand } from "./commands/listen.ts";
import { loginCommand } from "./commands/login.ts";
import { markCommands } from "./commands/marks.ts";
import { messageCommands } from "./commands/messages.ts";
import { ownCommands } from "./commands/own.ts";
import { findCommand, profileCommand } from "./commands/people.ts";
import { pinCommands } from "./commands/pins.ts";
import { pollCommands } from "./commands/polls.ts";
import { pushCommand } from "./commands/push.ts";
import { receiptsCommand } from "./commands/receipts.ts";
import { registerCommand } from "./commands/register.ts";
import { restoreCommand } from "./commands/restore.ts";
import { roomsCommand } from "./commands/rooms/rooms.ts";
import { rosterCommand } from "./commands/roster.ts";
import { scheduledCommands } from "./commands/scheduled.ts";
import { searchCommand } from "./commands/search.ts";
import { secretsCommand } from "./commands/secrets.ts";
import { sendCommand } from "./commands/send.ts";
import { storeCommand } from "./commands/store.ts";
import { threadCommands } from "./commands/threads.ts";
import { usersCommand } from "./commands/users.ts";
import { describeFailure, exitCodeOf, exitCodes } from "./failure.ts";

const exitHelp = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not logged in, 4 server not available";

/** Runs one command line; answers its exit code and never throws. */
export async function run(args: string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    // Commander has printed it.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    process.stderr.write(`${describeFailure(error, args.includes("--json"))}\n`);
    return exitCodeOf(error);
  }
}

/** All commands, for one run: commander keeps what it has parsed. */
export function createProgram(): Command {
  const root = new Command("parley")
    .description("Chat through Parley from a terminal or a script.")
    .addHelpText("after", `\n${exitHelp}\nparley COMMAND --help shows examples.`);
  for (const one of [
    registerCommand(),
    loginCommand(),
    ...leaveCommands(),
    accountsCommand(),
    aliasesCommand(),
    chatCommand(),
    sendCommand(),
    ...contentCommands(),
    getCommand(),
    infoCommand(),
    exportCommand(),
    listenCommand(),
    conversationsCommand(),
    historyCommand(),
    ...markCommands(),
    ...messageCommands(),
    ...pollCommands(),
    pushCommand(),
    ...threadCommands(),
    ...ownCommands(),
    ...pinCommands(),
    receiptsCommand(),
    ...scheduledCommands(),
    disappearCommand(),
    roomsCommand(),
    rosterCommand(),
    devicesCommand(),
    profileCommand(),
    findCommand(),
    searchCommand(),
    usersCommand(),
    storeCommand(),
    backupCommand(),
    restoreCommand(),
    secretsCommand(),
    brokerCommand(),
    benchCommand(),
  ])
    root.addCommand(one);
  return exitByThrowing(root);
}

// Set on every command: commander's own exit would cut off what is still being written.
function exitByThrowing(command: Command): Command {
  command.exitOverride().showHelpAfterError("(--help shows what can be said)");
  for (const child of command.commands) exitByThrowing(child);
  return command;
}
