// parley receipts: how far a message came.
import { messagesReceipts } from "@parley/protocol";
import type { Command } from "commander";
import { readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { readNumber } from "../read-number.ts";

export function receiptsCommand(): Command {
  return command("receipts <with> <seq>", "To how many a message was delivered, and who has read it.", [
    "parley receipts '#general' 40",
  ]).action(
    action(async ({ account, output }, name = "", given = "") => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", given, 1) };
      const found = await account.call(messagesReceipts, place);
      const stateOf = ({ delivered, read }: { delivered: boolean; read: boolean }) =>
        read ? "read" : delivered ? "delivered" : "not yet";
      const rows = (found.receipts ?? []).map((one) => `${one.uid}  ${stateOf(one)}`);
      const counts = `delivered to ${found.delivered} of ${found.of}, read by ${found.read}`;
      output.result(found, [counts, ...rows].join("\n"));
    }),
  );
}
