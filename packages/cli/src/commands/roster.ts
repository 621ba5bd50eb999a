// parley roster: contacts, requests and blocks.
import type { Contact, ParamsOf, Presence } from "@parley/client";
import {
  presenceGet,
  presenceList,
  rosterAdd,
  rosterBlock,
  rosterConfirm,
  rosterList,
  rosterMute,
  rosterRefuse,
  rosterRemove,
  rosterRequest,
  rosterRevoke,
  rosterUnblock,
  rosterUnmute,
  rosterUpdate,
} from "@parley/protocol";
import { Command } from "commander";
import { action, command } from "../command.ts";
import { printable } from "../output.ts";

const acts = [
  ["remove", rosterRemove, "Take somebody out of your roster, or a request back."],
  ["block", rosterBlock, "Nothing of this user's reaches you any more; the user is not told."],
  ["unblock", rosterUnblock, "End a block."],
  ["mute", rosterMute, "Mark somebody as muted."],
  ["unmute", rosterUnmute, "End that."],
  ["request", rosterRequest, "Ask somebody to be each other's contact."],
  ["confirm", rosterConfirm, "Accept a request."],
  ["refuse", rosterRefuse, "Refuse a request."],
  ["revoke", rosterRevoke, "Take a request back, or end being each other's contact."],
] as const;

export function rosterCommand(): Command {
  const roster = new Command("roster").description("Your contacts, requests and blocks.");
  for (const one of [list(), online(), seen(), add(), note(), ...acts.map(actCommand)]) roster.addCommand(one);
  return roster.addHelpText("after", "\nExamples:\n  $ parley roster add bob --group friends\n  $ parley roster list");
}

function list(): Command {
  return command("list", "Who is in your roster.", ["parley roster list", "parley roster list --json"]).action(
    action(async ({ account, output }) => {
      let page: string | null = null;
      let count = 0;
      do {
        const answer: Awaited<ReturnType<typeof readPage>> = await readPage(page);
        for (const contact of answer.contacts) output.result(contact, rosterLine(contact));
        count += answer.contacts.length;
        page = answer.next;
      } while (page !== null);
      if (count === 0) output.note("nobody yet; parley roster add NAME");

      function readPage(from: string | null) {
        return account.call(rosterList, from === null ? {} : { page: from });
      }
    }),
  );
}

function online(): Command {
  return command("online", "Which of your contacts are online.", ["parley roster online"]).action(
    action(async ({ account, output }) => {
      let page: string | null = null;
      let count = 0;
      do {
        const answer: Awaited<ReturnType<typeof readPage>> = await readPage(page);
        for (const contact of answer.contacts) output.result(contact, presenceLine(contact));
        count += answer.contacts.length;
        page = answer.next;
      } while (page !== null);
      if (count === 0) output.note("nobody");

      function readPage(from: string | null) {
        return account.call(presenceList, from === null ? {} : { page: from });
      }
    }),
  );
}

function seen(): Command {
  return command("seen <uid>", "Is somebody online, or when were they last seen.", ["parley roster seen bob"]).action(
    action(async ({ account, output }, uid = "") => {
      const presence = await account.call(presenceGet, { uid });
      output.result(presence, presenceLine(presence));
    }),
  );
}

function presenceLine({ uid, show, status, lastSeen }: Presence): string {
  const since = lastSeen === null ? "" : `last seen ${new Date(lastSeen).toISOString()}`;
  return [uid, show, printable(status ?? ""), since].filter(Boolean).join("  ");
}

interface Details {
  nick?: string;
  group?: string;
  note?: string;
  tag?: string[];
}

function add(): Command {
  return withDetails(
    command("add <uid>", "Put somebody into your roster, at once.", ["parley roster add bob --nick Bobby --tag tea"]),
  ).action(
    action<Details>(async ({ account, output, flags }, id = "") => {
      const contact = await account.call(rosterAdd, { id, ...detailsOf(flags) });
      output.result(contact, rosterLine(contact));
    }),
  );
}

function note(): Command {
  return withDetails(
    command("update <uid>", "Change what you note about a contact.", ["parley roster update bob --note 'tea at five'"]),
  ).action(
    action<Details>(async ({ account, output, flags }, id = "") => {
      const contact = await account.call(rosterUpdate, { id, ...detailsOf(flags) });
      output.result(contact, rosterLine(contact));
    }),
  );
}

function withDetails(made: Command): Command {
  return made
    .option("--nick <nick>", "your name for this user")
    .option("--group <group>", "a group of your roster")
    .option("--note <note>", "a note that only you see")
    .option("--tag <tags...>", "tags");
}

function detailsOf({ nick, group, note, tag }: Details): Omit<ParamsOf<typeof rosterAdd>, "id"> {
  return {
    ...(nick === undefined ? {} : { nick }),
    ...(group === undefined ? {} : { group }),
    ...(note === undefined ? {} : { note }),
    ...(tag === undefined ? {} : { tags: tag }),
  };
}

function actCommand([name, method, description]: (typeof acts)[number]): Command {
  return command(`${name} <uid>`, description, [`parley roster ${name} bob`]).action(
    action(async ({ account, output }, id = "") => {
      const contact = await account.call(method, { id });
      output.result(contact, rosterLine(contact));
    }),
  );
}

const relations: Record<Contact["relation"], string> = {
  contact: "",
  requested: "you have asked",
  pending: "asks you",
  none: "",
  removed: "not in your roster",
};

/** One entry as people read it. */
export function rosterLine({ id, nick, group, relation, blocked, muted }: Contact): string {
  const words = [relations[relation], blocked && "blocked", muted && "muted"].filter(Boolean).join(", ");
  return [id, nick === id ? "" : printable(nick), group && `[${printable(group)}]`, words].filter(Boolean).join("  ");
}
