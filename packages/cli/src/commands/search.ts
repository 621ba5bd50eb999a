// parley search: messages by what they hold, and the index built anew.
import type { ResultOf } from "@parley/client";
import { searchMessages } from "@parley/protocol";
import { Command } from "commander";
import { findNats } from "../backup/place.ts";
import { action, command } from "../command.ts";
import { formatMessage } from "../format.ts";
import { openOutput } from "../output.ts";
import { startSteps } from "../progress.ts";
import { readNumber } from "../read-number.ts";

interface Flags {
  limit: string;
}

const pageMost = 100;

const help = `
Words that a message has all of; "words in a row" (quote them for the shell too); a beginning*.
from:UID, in:#ROOM or in:UID, before:DAY, after:DAY (UTC), has:file, has:link, has:image.
parley search rebuild builds the index anew; to look for that word: parley search '"rebuild"'`;

export function searchCommand(): Command {
  const search = command("search <words...>", "Find messages in your conversations, the newest first.", [
    "parley search lunch from:bob after:2026-11-01",
    `parley search '"see you"' 'in:#general'`,
    "parley search 北京 --limit 5 --json",
  ])
    .option("--limit <n>", "how many", "20")
    .addHelpText("after", help)
    .action(
      action<Flags>(async ({ account, output, flags }, ...words) => {
        let left = readNumber("--limit", flags.limit, 1);
        let page: string | null | undefined;
        do {
          const asked = { query: words.join(" "), limit: Math.min(left, pageMost), ...(page ? { page } : {}) };
          const found: ResultOf<typeof searchMessages> = await account.call(searchMessages, asked);
          for (const one of found.results) output.result(one, formatMessage(one.message, output, { conv: true }));
          if (found.incomplete) output.note("the index is being built: older messages may be missing");
          left -= found.results.length;
          page = found.next;
        } while (page && left > 0);
      }),
    );
  search.addCommand(rebuild());
  return search;
}

function rebuild(): Command {
  return new Command("rebuild")
    .description("Build the index anew from the log, while Parley runs; the earlier one is searched until it is done.")
    .option("--json", "the result as JSON instead of text")
    .addHelpText(
      "after",
      "\nRun it where Parley runs (run.json of PARLEY_DIR, or NATS_URL). It goes on when this command is ended, and\nwhen search is started again.\n\nExamples:\n  $ parley search rebuild",
    )
    .action(async (flags: { json?: boolean }) => {
      const output = openOutput(flags.json === true);
      const { rebuildSearch } = await import("../rebuild-search.ts");
      const steps = startSteps(output.json);
      const tell = (done: number, of: number) => steps.tell("building", done, of);
      const { ms } = await rebuildSearch(findNats(), tell).finally(steps.end);
      output.result({ ms: Math.round(ms) }, `the index is built anew (${(ms / 1_000).toFixed(1)} s)`);
    });
}
