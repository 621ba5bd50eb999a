// parley disappear: when the messages of a conversation disappear, for all.
import { conversationsSetExpiry } from "@parley/protocol";
import type { Command } from "commander";
import { readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { readSeconds } from "../read-time.ts";

export function disappearCommand(): Command {
  return command("disappear <with> <time>", "Have new messages of a conversation disappear, for all; off: they stay.", [
    "parley disappear bob 1d",
    "parley disappear '#general' 90m --from-read",
    "parley disappear bob off",
  ])
    .option("--from-read", "counted from the first reading of a message, not from its sending")
    .action(
      action<{ fromRead?: boolean }>(async ({ account, output, flags }, name = "", time = "") => {
        const from = flags.fromRead ? ("read" as const) : ("sent" as const);
        const expiry = time === "off" ? null : { seconds: readSeconds("<time>", time), from };
        const set = await account.call(conversationsSetExpiry, { conv: readConv(account.user ?? "", name), expiry });
        const told = expiry ? `disappear ${expiry.seconds} s after they are ${from}` : "stay";
        output.result(set, `new messages of ${set.conv} ${told}`);
      }),
    );
}
