// parley scheduled, reschedule, unschedule: messages that are sent later.
import { AppError } from "@parley/client";
import { messagesReschedule, messagesScheduled, messagesUnschedule, type Scheduled } from "@parley/protocol";
import type { Command } from "commander";
import type { Account } from "../account.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatContent } from "../format.ts";
import { type Output, printable } from "../output.ts";
import { readTime } from "../read-time.ts";

export function scheduledCommands(): Command[] {
  return [scheduled(), reschedule(), unschedule()];
}

function scheduled(): Command {
  return command("scheduled", "Print your messages that are sent later, and those that were refused at their time.", [
    "parley scheduled",
  ]).action(
    action(async ({ account, output }) => {
      for (let page: string | null | undefined; page !== null; ) {
        const answer = await account.call(messagesScheduled, page === undefined ? {} : { page });
        for (const one of answer.scheduled) output.result(one, formatScheduled(one, output));
        page = answer.next;
      }
    }),
  );
}

function reschedule(): Command {
  return command("reschedule <id> [text...]", "Change when a message is sent, or its text.", [
    "parley reschedule 01J8ZK --at +2h",
    "parley reschedule 01J8ZK 'happy new year, all of you'",
  ])
    .option("--at <time>", "2030-01-31T18:00, or +30s, +90m, +2h, +1d from now")
    .action(
      action<{ at?: string }>(async ({ account, output, flags }, id = "", ...words) => {
        const at = flags.at === undefined ? undefined : readTime("--at", flags.at);
        if (at === undefined && words.length === 0) throw new UsageError("give --at, another text, or both");
        const to = words.length === 0 ? undefined : (await find(account, id)).message.to;
        const message = to && { to, content: { type: "text", data: words.join(" ") } };
        const changed = await account.call(messagesReschedule, { id, ...(at && { at }), ...(message && { message }) });
        output.result(changed, formatScheduled(changed, output));
      }),
    );
}

function unschedule(): Command {
  return command("unschedule <id>", "Take back a message that is to be sent later.", [
    "parley unschedule 01J8ZK",
  ]).action(
    action(async ({ account, output }, id = "") => {
      output.result(await account.call(messagesUnschedule, { id }), `${printable(id)} is not sent`);
    }),
  );
}

async function find(account: Account, id: string): Promise<Scheduled> {
  for (let page: string | null | undefined; page !== null; ) {
    const answer = await account.call(messagesScheduled, page === undefined ? {} : { page });
    const found = answer.scheduled.find((one) => one.id === id);
    if (found) return found;
    page = answer.next;
  }
  throw new AppError("not_found", `no message ${id} is scheduled`);
}

/** `2030-01-31T18:00:00.000Z [room/tea] hello  01J8ZK` */
export function formatScheduled({ id, at, conv, message, state, error }: Scheduled, output: Output): string {
  const { content } = message as unknown as { content: { type: string } };
  const what = `${output.style("dim", new Date(at).toISOString())} [${printable(conv)}] ${formatContent(content)}`;
  const why = error ? output.style("red", `  ${error.code}: ${printable(error.message)}`) : "";
  return `${what}  ${output.style("dim", printable(id))}${state === "sending" ? "  (being sent)" : ""}${why}`;
}
