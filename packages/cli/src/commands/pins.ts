// parley pin, unpin, pins: messages that all of a conversation see pinned.
import { messagesPin, messagesPins, messagesUnpin } from "@parley/protocol";
import type { Command } from "commander";
import { readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { formatMessage } from "../format.ts";
import { readNumber } from "../read-number.ts";

export function pinCommands(): Command[] {
  return [pin(), unpin(), pins()];
}

function pin(): Command {
  return command("pin <with> <seq>", "Pin a message for all of a conversation.", [
    "parley pin bob 12",
    "parley pin '#general' 40",
  ]).action(
    action(async ({ account, output }, name = "", given = "") => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", given, 1) };
      const changed = await account.call(messagesPin, place);
      output.result(changed, changed.seq > 0 ? `pinned ${place.conv} #${place.seq}` : "nothing changed");
    }),
  );
}

function unpin(): Command {
  return command("unpin <with> <seq>", "Take a pin away.", ["parley unpin '#general' 40"]).action(
    action(async ({ account, output }, name = "", given = "") => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", given, 1) };
      const changed = await account.call(messagesUnpin, place);
      output.result(changed, changed.seq > 0 ? `unpinned ${place.conv} #${place.seq}` : "nothing changed");
    }),
  );
}

function pins(): Command {
  return command("pins <with>", "Print the pinned messages of a conversation, the latest pin first.", [
    "parley pins '#general'",
  ]).action(
    action(async ({ account, output }, name = "") => {
      const conv = readConv(account.user ?? "", name);
      for (let page: string | null | undefined; page !== null; ) {
        const answer = await account.call(messagesPins, { conv, ...(page === undefined ? {} : { page }) });
        for (const one of answer.pins) output.result(one, formatMessage(one.message, output));
        page = answer.next;
      }
    }),
  );
}
