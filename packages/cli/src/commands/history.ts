// parley history: what a conversation holds.
import type { Message, ParamsOf } from "@parley/client";
import { historyGet } from "@parley/protocol";
import type { Command } from "commander";
import type { Account } from "../account.ts";
import { readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatMessage } from "../format.ts";
import { startProgress } from "../progress.ts";
import { readNumber } from "../read-number.ts";

interface Flags {
  limit: string;
  before?: string;
  after?: string;
  all?: boolean;
}

const pageMessages = 500;

export function historyCommand(): Command {
  return command("history <with>", "Print messages of a conversation, oldest first.", [
    "parley history bob",
    "parley history '#general' --limit 100 --before 4000",
    "parley history bob --all --json > bob.ndjson",
  ])
    .option("--limit <n>", "how many", "50")
    .option("--before <seq>", "only earlier ones")
    .option("--after <seq>", "only later ones")
    .option("--all", "the whole conversation")
    .action(
      action<Flags>(async ({ account, output, flags }, name = "") => {
        const conv = readConv(account.user ?? "", name);
        const show = (message: Message) => output.result(message, formatMessage(message, output));
        const limit = readNumber("--limit", flags.limit, 1);
        const range = rangeOf(flags);
        if (flags.all && (flags.before ?? flags.after) !== undefined)
          throw new UsageError("--all is the whole conversation: leave out --before and --after");
        if (flags.all) return showAll(account, conv, show);
        for (const message of await readSome(account, conv, { range, limit })) show(message);
      }),
    );
}

async function readSome(
  account: Account,
  conv: string,
  { range, limit }: { range: ReturnType<typeof rangeOf>; limit: number },
): Promise<Message[]> {
  const pages: Message[][] = [];
  for (let left = limit; left > 0; ) {
    const page = await account.call(historyGet, { conv, ...range, limit: Math.min(left, pageMessages) });
    left -= page.messages.length;
    if (range.after === undefined) pages.unshift(page.messages);
    else pages.push(page.messages);
    if (!page.more || page.messages.length === 0) break;
    if (range.after === undefined) range.before = page.messages[0]?.seq ?? 1;
    else range.after = page.messages.at(-1)?.seq ?? range.after;
  }
  return pages.flat();
}

function rangeOf(flags: Flags): Pick<ParamsOf<typeof historyGet>, "before" | "after"> {
  return {
    ...(flags.before === undefined ? {} : { before: readNumber("--before", flags.before, 1) }),
    ...(flags.after === undefined ? {} : { after: readNumber("--after", flags.after, 0) }),
  };
}

async function showAll(account: Account, conv: string, show: (message: Message) => void): Promise<void> {
  const progress = startProgress(conv);
  let after = 0;
  try {
    for (let more = true; more; ) {
      const page = await account.call(historyGet, { conv, after, limit: pageMessages });
      page.messages.forEach(show);
      more = page.more && page.messages.length > 0;
      after = page.messages.at(-1)?.seq ?? after;
      progress.update(after, page.lastSeq);
    }
  } finally {
    progress.end();
  }
}
