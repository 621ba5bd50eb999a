// parley edit, recall, react, versions: what is said about a message later.
import { randomUUID } from "node:crypto";
import { messagesVersions } from "@parley/protocol";
import type { Command } from "commander";
import { readAddress, readConv } from "../address.ts";
import { action, type Context, command } from "../command.ts";
import { formatMessage } from "../format.ts";
import { readNumber } from "../read-number.ts";
import { sendUntilStored } from "./send.ts";

const waitSeconds = 30;

export function messageCommands(): Command[] {
  return [edit(), recall(), react(), versions()];
}

function edit(): Command {
  return command("edit <to> <seq> <text...>", "Change the text of a message that you sent.", [
    "parley edit bob 12 'see you at seven'",
  ]).action(
    action(async (context, to, seq, ...words) => {
      await sayAbout(context, to, seq, { type: "edit", data: words.join(" ") });
    }),
  );
}

function recall(): Command {
  return command("recall <to> <seq>", "Take a message back, for all. Owners and admins of a room may others'.", [
    "parley recall bob 12",
    "parley recall '#general' 40",
  ]).action(action(async (context, to, seq) => sayAbout(context, to, seq, { type: "recall" })));
}

function react(): Command {
  return command("react <to> <seq> <reaction>", "React to a message, by an emoji or a short text.", [
    "parley react bob 12 👍",
    "parley react bob 12 👍 --remove",
  ])
    .option("--remove", "take the reaction back")
    .action(
      action<{ remove?: boolean }>(async (context, to, seq, reaction) => {
        const { remove } = context.flags;
        await sayAbout(context, to, seq, { type: "reaction", data: reaction, ...(remove && { remove }) });
      }),
    );
}

function versions(): Command {
  return command("versions <with> <seq>", "Print a message as it was sent and each edit of it.", [
    "parley versions bob 12",
  ]).action(
    action(async ({ account, output }, name = "", given = "") => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", given, 1) };
      for (let after: number | undefined, more = true; more; ) {
        const page = await account.call(messagesVersions, { ...place, ...(after !== undefined && { after }) });
        for (const version of page.versions) output.result(version, formatMessage(version, output));
        after = page.versions.at(-1)?.seq ?? place.seq;
        more = page.more;
      }
    }),
  );
}

async function sayAbout(
  { account, output }: Pick<Context, "account" | "output">,
  to = "",
  given = "",
  content: { type: string; [field: string]: unknown },
): Promise<void> {
  const seq = readNumber("<seq>", given, 1);
  const packet = { id: randomUUID(), to: readAddress(to), content: { ...content, seq } };
  const ack = await sendUntilStored(account, packet, waitSeconds);
  output.result(ack, `${output.style("green", "✓")} ${ack.conv} #${ack.seq}`);
}
