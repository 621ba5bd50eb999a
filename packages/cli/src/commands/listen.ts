// parley listen: everything that arrives, until told to stop.
import { connectParley, type Listeners, type Message } from "@parley/client";
import type { Command } from "commander";
import { readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatMessage } from "../format.ts";
import { type Output, printable } from "../output.ts";
import { readNumber } from "../read-number.ts";
import { stateListeners } from "../state-listeners.ts";
import { untilSignal } from "../until-signal.ts";
import { rosterLine } from "./roster.ts";

interface Flags {
  from: string;
  count?: string;
  events?: boolean;
  read: boolean;
}

export function listenCommand(): Command {
  return command("listen [with]", "Print messages as they arrive; they are marked delivered and read.", [
    "parley listen",
    "parley listen bob --json | jq -r .content.data",
    "parley listen --from start --count 10",
    "parley listen --events --no-read",
  ])
    .option("--from <when>", "now: only what comes; start: all there is, then what comes", "now")
    .option("--count <n>", "end after so many messages")
    .option(
      "--events",
      "receipts, typing, presence, invitations and changes of your roster, drafts, stars and settings too",
    )
    .option("--no-read", "do not mark messages read")
    .action(
      action<Flags>(async ({ account, output, flags }, name) => {
        if (flags.from !== "now" && flags.from !== "start") throw new UsageError("--from now or --from start");
        const count = flags.count === undefined ? Number.POSITIVE_INFINITY : readNumber("--count", flags.count, 1);
        const only = name === undefined ? undefined : readConv(account.user ?? "", name);
        const stop = untilSignal();
        let shown = 0;
        const take = (message: Message) => {
          if ((only !== undefined && message.conv !== only) || shown >= count) return;
          shown += 1;
          output.result(message, formatMessage(message, output, { conv: only === undefined }));
          if (flags.read) client?.markRead(message.conv, message.seq);
          unread.set(message.conv, message.seq);
          if (shown >= count) stop.end();
        };
        const unread = new Map<string, number>();
        const connection = await account.connection();
        let client: Awaited<ReturnType<typeof connectParley>> | undefined;
        client = await connectParley(
          { ...connection, from: flags.from },
          { ...(flags.events ? eventListeners(output) : {}), message: take, ...stateListeners(output, stop.fail) },
        );
        // What came before there was a client to mark it with.
        if (flags.read) for (const [conv, seq] of unread) client.markRead(conv, seq);
        output.note(output.style("dim", `listening as ${client.clientId}; Ctrl-C ends`));
        try {
          await stop.ended;
        } finally {
          await client.close();
        }
      }),
    );
}

function eventListeners(output: Output): Listeners {
  return {
    receipt: (notice) =>
      output.result(notice, `${notice.conv}: ${notice.uid} has got ${notice.delivered}, read ${notice.read}`),
    typing: (notice) => output.result(notice, `${notice.conv}: ${notice.uid} is ${notice.state}`),
    presence: (notice) => output.result(notice, `${notice.uid} is ${notice.show}`),
    invitation: (notice) =>
      output.result(notice, `${notice.conv}: ${notice.by} asks you in; parley rooms accept or refuse`),
    own: (notice) => output.result(notice, `${notice.conv}: ${printable(JSON.stringify(notice.own))}`),
    draft: (notice) => output.result(notice, `${notice.conv}: draft ${printable(notice.draft?.text ?? "gone")}`),
    star: (notice) =>
      output.result(
        notice,
        `${notice.conv} #${notice.seq}: ${notice.tags ? `★ ${printable(notice.tags.join(" "))}` : "☆"}`,
      ),
    scheduled: (notice) => output.result(notice, `scheduled: ${printable(JSON.stringify(notice))}`),
    attachment: (notice) =>
      output.result(notice, `${notice.attachment.id} ${printable(notice.attachment.name)}: looked at; parley info`),
    thread: (notice) => output.result(notice, `${notice.conv}: ${printable(JSON.stringify(notice.thread))}`),
    roster: (contact) => output.result({ type: "roster.changed", contact }, `roster: ${rosterLine(contact)}`),
  };
}
