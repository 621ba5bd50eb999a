// parley conversations: what you have a part in, the latest first.
import { conversationsList, type ResultOf } from "@parley/protocol";
import type { Command } from "commander";
import { action, command } from "../command.ts";
import { formatContent } from "../format.ts";
import { printable } from "../output.ts";

type Row = ResultOf<typeof conversationsList>["conversations"][number];

export function conversationsCommand(): Command {
  return command("conversations", "Print your conversations, the latest first, and what is unread.", [
    "parley conversations",
    "parley conversations --json",
  ]).action(
    action(async ({ account, output }) => {
      for (let page: string | null | undefined; page !== null; ) {
        const answer = await account.call(conversationsList, page === undefined ? {} : { page });
        for (const row of answer.conversations) output.result(row, lineOf(row));
        page = answer.next;
      }
    }),
  );
}

function lineOf({ conv, name, unread, unreadMentions = 0, lastMessage, settings }: Row): string {
  const count = unread > 0 ? ` (${unread}${unreadMentions > 0 ? `, ${unreadMentions} @` : ""})` : "";
  const last = lastMessage ? `  ${printable(lastMessage.from)}: ${formatContent(lastMessage.content)}` : "";
  return `${conv}  ${printable(name)}${count}${flagsOf(settings)}${last}`;
}

function flagsOf(settings: Row["settings"]): string {
  const { pinnedAt, mutedUntil = 0, archived, markedUnread } = settings ?? {};
  const flags = [
    pinnedAt !== undefined && "pinned",
    mutedUntil > Date.now() && "muted",
    archived && "archived",
    markedUnread && "marked unread",
  ].filter(Boolean);
  return flags.length > 0 ? ` [${flags.join(", ")}]` : "";
}
