// parley poll, vote, votes, close-poll.
import { randomUUID } from "node:crypto";
import type { MessageContent } from "@parley/client";
import { messagesVotes } from "@parley/protocol";
import type { Command } from "commander";
import { readAddress, readConv } from "../address.ts";
import { action, type Context, command } from "../command.ts";
import { formatPollState } from "../format.ts";
import { printable } from "../output.ts";
import { readNumber } from "../read-number.ts";
import { printAck, sendUntilStored } from "./send.ts";

const waitSeconds = 30;

export function pollCommands(): Command[] {
  return [poll(), vote(), votes(), closePoll()];
}

function poll(): Command {
  return command("poll <to> <question> <options...>", "Ask which of some options others choose.", [
    "parley poll '#general' 'Where to?' Berlin Paris",
    "parley poll '#general' 'Who leads?' ann ben --anonymous",
  ])
    .option("--multiple", "a vote may be for several")
    .option("--anonymous", "who voted for what is told to nobody, and the counts when it is closed")
    .action(
      action<{ multiple?: boolean; anonymous?: boolean }>(async (context, to, question = "", ...options) => {
        const { multiple, anonymous } = context.flags;
        const flags = { ...(multiple && { multiple }), ...(anonymous && { anonymous }) };
        await send(context, to, { type: "poll", question, options, ...flags });
      }),
    );
}

function vote(): Command {
  return command("vote <to> <seq> [options...]", "Vote in a poll, options counted from 1; without one take it back.", [
    "parley vote '#general' 12 2",
    "parley vote '#general' 12",
  ]).action(
    action(async (context, to, seq = "", ...given) => {
      const options = given.map((one) => readNumber("<options>", one, 1) - 1);
      await send(context, to, { type: "vote", seq: readNumber("<seq>", seq, 1), options });
    }),
  );
}

function closePoll(): Command {
  return command("close-poll <to> <seq>", "End a poll of yours. Owners and admins of a room may others'.", [
    "parley close-poll '#general' 12",
  ]).action(
    action(async (context, to, seq = "") => send(context, to, { type: "close", seq: readNumber("<seq>", seq, 1) })),
  );
}

function votes(): Command {
  return command("votes <with> <seq>", "Print how a poll stands, and who voted.", [
    "parley votes '#general' 12",
  ]).action(
    action(async ({ account, output }, name = "", seq = "") => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", seq, 1) };
      const state = await account.call(messagesVotes, place);
      const rows = state.options.map(({ option, uids }) => `\n  ${option + 1}: ${printable(uids.join(", "))}`);
      output.result(state, `${formatPollState(state)}${rows.join("")}`);
    }),
  );
}

async function send(
  { account, output }: Pick<Context, "account" | "output">,
  to = "",
  content: MessageContent,
): Promise<void> {
  const packet = { id: randomUUID(), to: readAddress(to), content };
  printAck(output, await sendUntilStored(account, packet, waitSeconds));
}
