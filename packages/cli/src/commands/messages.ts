// parley reply, forward, edit, recall, react, versions: what is said about a message later.
import { randomUUID } from "node:crypto";
import { messagesForward, messagesVersions } from "@parley/protocol";
import type { Command } from "commander";
import { readAddress, readConv } from "../address.ts";
import { action, type Context, command } from "../command.ts";
import { formatMessage } from "../format.ts";
import { readNumber } from "../read-number.ts";
import { printAck, sendUntilStored, untilDone } from "./send.ts";

const waitSeconds = 30;

export function messageCommands(): Command[] {
  return [reply(), forward(), edit(), recall(), react(), versions()];
}

function reply(): Command {
  return command("reply <to> <seq> <text...>", "Answer a message.", ["parley reply bob 12 'at seven, then'"]).action(
    action(async ({ account, output }, to = "", seq = "", ...words) => {
      const content = { type: "text", data: words.join(" ") };
      const packet = { id: randomUUID(), to: readAddress(to), content, reply: readNumber("<seq>", seq, 1) };
      printAck(output, await sendUntilStored(account, packet, waitSeconds));
    }),
  );
}

function forward(): Command {
  return command("forward <with> <seq> <to>", "Send a message on to somebody else.", [
    "parley forward bob 12 '#general'",
  ]).action(
    action(async ({ account, output }, name = "", given = "", to = "") => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", given, 1) };
      const packet = { ...place, to: readAddress(to), id: randomUUID() };
      printAck(output, await untilDone(() => account.call(messagesForward, packet), waitSeconds));
    }),
  );
}

function edit(): Command {
  return command("edit <to> <seq> <text...>", "Change the text of a message that you sent.", [
    "parley edit bob 12 'see you at seven'",
    "parley edit '#general' 40 'who brings tea, @bob?' --mention bob",
  ])
    .option("--mention <uids...>", "mentions these, or @all")
    .action(
      action<{ mention?: string[] }>(async (context, to, seq, ...words) => {
        const { mention: mentions } = context.flags;
        await sayAbout(context, to, seq, { type: "edit", data: words.join(" "), ...(mentions && { mentions }) });
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
  printAck(output, await sendUntilStored(account, packet, waitSeconds));
}
