// parley chat: a conversation, line by line.
import type { Command } from "commander";
import { readAddress, readConv } from "../address.ts";
import { runChat } from "../chat/chat.ts";
import { action, command } from "../command.ts";
import { readNumber } from "../read-number.ts";

export function chatCommand(): Command {
  return command("chat <with>", "Chat with a user or in a room; /help inside shows what can be typed.", [
    "parley chat bob",
    "parley chat '#general' --earlier 100",
    "parley chat user/bob --user alice",
    "printf 'hi\\nhow are you?\\n' | parley chat bob",
  ])
    .option("--earlier <n>", "messages of before to show first, 0 for none", "20")
    .action(
      action<{ earlier: string }>(async ({ account, output, flags }, name = "") => {
        const earlier = readNumber("--earlier", flags.earlier, 0);
        const to = readAddress(name);
        const connection = await account.connection();
        const conv = readConv(account.user ?? "", to);
        const failed = await runChat({ connection, to, conv, earlier: Math.min(earlier, 500), output });
        if (failed > 0) throw new Error(failed === 1 ? "one message was not sent" : `${failed} messages were not sent`);
      }),
    );
}
