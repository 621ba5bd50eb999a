// parley delete, star, unstar, starred, draft, drafts, settings: what you keep for yourself, on all your devices.
import {
  conversationsUpdate,
  draftsList,
  draftsRemove,
  draftsSet,
  messagesDelete,
  messagesStar,
  messagesStarred,
  messagesUnstar,
} from "@parley/protocol";
import type { Command } from "commander";
import { readConv } from "../address.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatMessage } from "../format.ts";
import { printable } from "../output.ts";
import { readNumber } from "../read-number.ts";

export function ownCommands(): Command[] {
  return [remove(), star(), unstar(), starred(), draft(), drafts(), settings()];
}

function remove(): Command {
  return command("delete <with> [seqs...]", "Delete messages for yourself: others keep them.", [
    "parley delete bob 12 13",
    "parley delete '#general' --up-to 400",
  ])
    .option("--up-to <seq>", "everything up to this one")
    .action(
      action<{ upTo?: string }>(async ({ account, output, flags }, name = "", ...given) => {
        if ((flags.upTo === undefined) === (given.length === 0))
          throw new UsageError("name messages, or --up-to and one of them");
        const conv = readConv(account.user ?? "", name);
        const what =
          flags.upTo === undefined
            ? { seqs: given.map((one) => readNumber("<seqs>", one, 1)) }
            : { upTo: readNumber("--up-to", flags.upTo, 1) };
        const own = await account.call(messagesDelete, { conv, ...what });
        output.result(own, `deleted for you in ${conv}: up to ${own.deletedTo}, and ${own.hidden.length} behind`);
      }),
    );
}

function star(): Command {
  return command("star <with> <seq> [tags...]", "Star a message, to find it again.", [
    "parley star bob 12",
    "parley star bob 12 recipes",
  ]).action(
    action(async ({ account, output }, name = "", seq = "", ...tags) => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", seq, 1) };
      const starred = await account.call(messagesStar, { ...place, tags });
      output.result(starred, `★ ${starred.conv} #${starred.seq} ${printable(starred.tags.join(" "))}`.trimEnd());
    }),
  );
}

function unstar(): Command {
  return command("unstar <with> <seq>", "Take a star away.", ["parley unstar bob 12"]).action(
    action(async ({ account, output }, name = "", seq = "") => {
      const place = { conv: readConv(account.user ?? "", name), seq: readNumber("<seq>", seq, 1) };
      output.result(await account.call(messagesUnstar, place), `☆ ${place.conv} #${place.seq}`);
    }),
  );
}

function starred(): Command {
  return command("starred [tag]", "Print the messages that you starred, the latest first.", [
    "parley starred",
    "parley starred recipes",
  ]).action(
    action(async ({ account, output }, tag) => {
      for (let page: string | null | undefined; page !== null; ) {
        const answer = await account.call(messagesStarred, {
          ...(tag === undefined ? {} : { tag }),
          ...(page === undefined ? {} : { page }),
        });
        for (const one of answer.stars) output.result(one, formatMessage(one.message, output, { conv: true }));
        page = answer.next;
      }
    }),
  );
}

function draft(): Command {
  return command("draft <with> [text...]", "Keep what you have begun to write; without a text, drop it.", [
    "parley draft bob 'we could meet'",
    "parley draft bob",
  ]).action(
    action(async ({ account, output }, name = "", ...words) => {
      const conv = readConv(account.user ?? "", name);
      if (words.length === 0) output.result(await account.call(draftsRemove, { conv }), `no draft in ${conv}`);
      else output.result(await account.call(draftsSet, { conv, text: words.join(" ") }), `kept in ${conv}`);
    }),
  );
}

function drafts(): Command {
  return command("drafts", "Print what you have begun to write.", ["parley drafts"]).action(
    action(async ({ account, output }) => {
      for (let page: string | null | undefined; page !== null; ) {
        const answer = await account.call(draftsList, page === undefined ? {} : { page });
        for (const one of answer.drafts) output.result(one, `${one.conv}  ${printable(one.text)}`);
        page = answer.next;
      }
    }),
  );
}

interface Settings {
  pin?: boolean;
  mute?: string | false;
  archive?: boolean;
  unread?: boolean;
  name?: string;
}

function settings(): Command {
  return command("settings <with>", "Change how you have a conversation; without a flag, print it.", [
    "parley settings bob --pin --name 'Bob from work'",
    "parley settings '#general' --mute 480",
    "parley settings '#general' --no-mute --no-pin",
  ])
    .option("--pin", "at the top of lists")
    .option("--no-pin")
    .option("--mute <minutes>", "no notifications for so long")
    .option("--no-mute")
    .option("--archive", "out of the way")
    .option("--no-archive")
    .option("--unread", "marked as unread")
    .option("--no-unread")
    .option("--name <name>", "your own name for it; empty: none")
    .action(
      action<Settings>(async ({ account, output, flags }, name = "") => {
        const conv = readConv(account.user ?? "", name);
        const changed = await account.call(conversationsUpdate, { conv, ...changesOf(flags) });
        output.result(changed, `${conv}  ${printable(JSON.stringify(changed.settings))}`);
      }),
    );
}

function changesOf({ pin, mute, archive, unread, name }: Settings) {
  const minutes = typeof mute === "string" ? readNumber("--mute", mute, 1) : undefined;
  const mutedUntil = mute === false ? 0 : minutes && Date.now() + minutes * 60_000;
  return {
    ...(pin !== undefined && { pinned: pin }),
    ...(mutedUntil !== undefined && { mutedUntil }),
    ...(archive !== undefined && { archived: archive }),
    ...(unread !== undefined && { markedUnread: unread }),
    ...(name !== undefined && { name }),
  };
}
