// parley read, mark: how far you have read a conversation, or that it is to look unread, on all your devices.
import { conversationsMark, conversationsUpdate } from "@parley/protocol";
import type { Command } from "commander";
import type { Account } from "../account.ts";
import { readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import type { Output } from "../output.ts";
import { readNumber } from "../read-number.ts";

// The server goes no further than the last message.
const all = Number.MAX_SAFE_INTEGER;

export function markCommands(): Command[] {
  return [read(), mark()];
}

function read(): Command {
  return command("read <with> [seq]", "Mark a conversation as read: all of it, or up to a message.", [
    "parley read bob",
    "parley read '#general' 40",
  ]).action(action(({ account, output }, name = "", seq) => markRead(account, output, name, seq)));
}

function mark(): Command {
  return command("mark <with> <as> [seq]", "Mark a conversation as read, delivered or unread.", [
    "parley mark bob unread",
    "parley mark '#general' delivered 40",
    "parley mark '#general' read 40",
  ]).action(
    action(async ({ account, output }, name = "", as = "", seq) => {
      if (as === "read") return markRead(account, output, name, seq);
      if (as === "delivered") return markDelivered(account, output, name, seq);
      if (as !== "unread") throw new UsageError(`<as> ${as}: read, delivered or unread is needed`);
      if (seq !== undefined) throw new UsageError("a whole conversation is marked as unread: no [seq]");
      const conv = readConv(account.user ?? "", name);
      const changed = await account.call(conversationsUpdate, { conv, markedUnread: true });
      output.result(changed, `marked as unread: ${conv}`);
    }),
  );
}

async function markRead(account: Account, output: Output, name: string, seq: string | undefined): Promise<void> {
  const conv = readConv(account.user ?? "", name);
  const to = upTo(seq);
  const marks = await account.call(conversationsMark, { conv, read: to });
  // A mark as unread goes by itself only when a later message is read.
  if (to === all) await account.call(conversationsUpdate, { conv, markedUnread: false });
  output.result(marks, `read up to #${marks.read} in ${conv}`);
}

async function markDelivered(account: Account, output: Output, name: string, seq: string | undefined): Promise<void> {
  const conv = readConv(account.user ?? "", name);
  const marks = await account.call(conversationsMark, { conv, delivered: upTo(seq) });
  output.result(marks, `delivered up to #${marks.delivered} in ${conv}`);
}

function upTo(seq: string | undefined): number {
  return seq === undefined ? all : readNumber("[seq]", seq, 1);
}
