// parley threads, thread: messages about a message.
import { randomUUID } from "node:crypto";
import type { ThreadState } from "@parley/client";
import { threadsGet, threadsList, threadsUpdate } from "@parley/protocol";
import type { Command } from "commander";
import { readAddress, readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { formatMessage } from "../format.ts";
import { readNumber } from "../read-number.ts";
import { printAck, sendUntilStored } from "./send.ts";

const waitSeconds = 30;

interface Flags {
  follow?: boolean;
  read?: boolean;
}

export function threadCommands(): Command[] {
  return [threads(), thread()];
}

function threads(): Command {
  return command("threads <with>", "Print the threads of a conversation, and what is unread in them.", [
    "parley threads '#general'",
  ]).action(
    action(async ({ account, output }, name = "") => {
      const conv = readConv(account.user ?? "", name);
      for (let page: string | null | undefined; page !== null; ) {
        const answer = await account.call(threadsList, { conv, ...(page === undefined ? {} : { page }) });
        for (const one of answer.threads)
          output.result(one, `${formatState(one)}  ${formatMessage(one.message, output)}`);
        page = answer.next;
      }
    }),
  );
}

function thread(): Command {
  return command("thread <to> <seq> [text...]", "Print the thread about a message; with a text, write in it.", [
    "parley thread '#general' 12",
    "parley thread '#general' 12 'I agree'",
    "parley thread '#general' 12 --no-follow",
  ])
    .option("--follow", "follow it from now on")
    .option("--no-follow")
    .option("--read", "note that all of it was read")
    .action(
      action<Flags>(async ({ account, output, flags }, to = "", given = "", ...words) => {
        const seq = readNumber("<seq>", given, 1);
        if (words.length > 0) {
          const content = { type: "text", data: words.join(" ") };
          const packet = { id: randomUUID(), to: readAddress(to), content, thread: seq };
          return printAck(output, await sendUntilStored(account, packet, waitSeconds));
        }
        const place = { conv: readConv(account.user ?? "", to), seq };
        let after = 0;
        for (let more = flags.follow === undefined || flags.read === true; more; ) {
          const page = await account.call(threadsGet, { ...place, after });
          if (flags.follow === undefined)
            for (const one of page.messages) output.result(one, formatMessage(one, output));
          after = page.messages.at(-1)?.seq ?? after;
          more = page.more;
        }
        if (flags.follow === undefined && !flags.read) return;
        const changes = {
          ...(flags.follow !== undefined && { following: flags.follow }),
          ...(flags.read && after > 0 && { read: after }),
        };
        const state = await account.call(threadsUpdate, { ...place, ...changes });
        output.result(state, formatState(state));
      }),
    );
}

function formatState({ seq, count, unread, following }: ThreadState): string {
  return `#${seq}: ${count}${unread > 0 ? `, ${unread} unread` : ""}${following ? ", followed" : ""}`;
}
