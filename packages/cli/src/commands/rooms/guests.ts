// parley rooms: invitations, asking, invite links.
import {
  roomsAdmit,
  roomsBlock,
  roomsInvitations,
  roomsLinks,
  roomsMakeLink,
  roomsRefuse,
  roomsRemoveLink,
  roomsSetInvitations,
  roomsUnblock,
} from "@parley/protocol";
import type { Command } from "commander";
import { readRoomId } from "../../address.ts";
import { action, command } from "../../command.ts";
import { UsageError } from "../../failure.ts";
import { printable } from "../../output.ts";
import { readNumber } from "../../read-number.ts";
import { changedText } from "./changed.ts";

export function guestCommands(): Command[] {
  return [invitations(), askFirst(), admit(), refuse(), block(), unblock(), link(), links(), unlink()];
}

function invitations(): Command {
  return command("invitations", "The rooms you are invited to, or asked to be let into.", [
    "parley rooms invitations",
  ]).action(
    action(async ({ account, output }) => {
      let found = 0;
      for (let page: string | null | undefined; page !== null; ) {
        const { invitations, next } = await account.call(roomsInvitations, page === undefined ? {} : { page });
        for (const one of invitations)
          output.result(
            one,
            `${one.conv}  ${printable(one.name)}  ${one.standing === "asking" ? "asked" : `by ${one.by}`}`,
          );
        found += invitations.length;
        page = next;
      }
      if (found === 0) output.note("no invitations");
    }),
  );
}

function askFirst(): Command {
  return command(
    "ask-first <yes-or-no>",
    "Whether you are asked before you become a member of a room you are invited to.",
    ["parley rooms ask-first yes"],
  ).action(
    action(async ({ account, output }, given = "") => {
      if (given !== "yes" && given !== "no") throw new UsageError(`${given}: yes or no is needed`);
      const changed = await account.call(roomsSetInvitations, { invitations: given === "yes" ? "ask" : "add" });
      output.result(changed, given === "yes" ? "you are asked first" : "you are a member at once");
    }),
  );
}

function admit(): Command {
  return command("admit <room> <uids...>", "Let in who asked.", ["parley rooms admit '#general' dave"]).action(
    action(async ({ account, output }, room = "", ...uids) => {
      const changed = await account.call(roomsAdmit, { id: readRoomId(room), uids });
      output.result(changed, changedText("let in", changed.uids));
    }),
  );
}

function refuse(): Command {
  return command("refuse <room> [uids...]", "Refuse your invitation, or those who ask to be let in.", [
    "parley rooms refuse '#general'",
    "parley rooms refuse '#general' dave",
  ]).action(
    action(async ({ account, output }, room = "", ...uids) => {
      const changed = await account.call(roomsRefuse, { id: readRoomId(room), ...(uids.length > 0 && { uids }) });
      output.result(changed, changedText("refused", changed.uids));
    }),
  );
}

function block(): Command {
  return command("block <room>", "Leave a room and take no invitation to it again.", [
    "parley rooms block '#spam'",
  ]).action(
    action(async ({ account, output }, room = "") => {
      const changed = await account.call(roomsBlock, { id: readRoomId(room) });
      output.result(changed, `blocked ${room}`);
    }),
  );
}

function unblock(): Command {
  return command("unblock <room>", "Take invitations to a room again.", ["parley rooms unblock '#spam'"]).action(
    action(async ({ account, output }, room = "") => {
      const changed = await account.call(roomsUnblock, { id: readRoomId(room) });
      output.result(changed, `unblocked ${room}`);
    }),
  );
}

function link(): Command {
  return command("link <room>", "Make an invite link; it is shown only now.", [
    "parley rooms link '#general'",
    "parley rooms link '#general' --uses 10 --seconds 86400",
  ])
    .option("--uses <n>", "how many users it lets in (default: any)")
    .option("--seconds <n>", "how long it is good (default: until it is ended)")
    .action(
      action<{ uses?: string; seconds?: string }>(async ({ account, output, flags }, room = "") => {
        const id = readRoomId(room);
        const made = await account.call(roomsMakeLink, {
          id,
          ...(flags.uses !== undefined && { uses: readNumber("--uses", flags.uses, 1) }),
          ...(flags.seconds !== undefined && { seconds: readNumber("--seconds", flags.seconds, 1) }),
        });
        output.result(made, `parley rooms join '#${id}' --link ${made.link}`);
      }),
    );
}

function links(): Command {
  return command("links <room>", "The invite links of a room, without their secrets.", [
    "parley rooms links '#general'",
  ]).action(
    action(async ({ account, output }, room = "") => {
      const found = await account.call(roomsLinks, { id: readRoomId(room) });
      for (const one of found.links) {
        const until = one.expiresAt === undefined ? "" : `  until ${new Date(one.expiresAt).toISOString()}`;
        output.result(
          one,
          `${one.id}  by ${one.createdBy}${one.uses === undefined ? "" : `  ${one.uses} users`}${until}`,
        );
      }
      if (found.links.length === 0) output.note("no invite links");
    }),
  );
}

function unlink(): Command {
  return command("unlink <room> <link>", "End an invite link, by its id.", [
    "parley rooms unlink '#general' k3j5…",
  ]).action(
    action(async ({ account, output }, room = "", id = "") => {
      const changed = await account.call(roomsRemoveLink, { id: readRoomId(room), link: id });
      output.result(changed, changed.seq > 0 ? "ended" : "nothing changed");
    }),
  );
}
