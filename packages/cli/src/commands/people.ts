// parley profile and parley find: who you are to others, and who others are.
import type { ParamsOf } from "@parley/client";
import { profileGet, profileUpdate, usersGet, usersSearch } from "@parley/protocol";
import type { Command } from "commander";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { printable } from "../output.ts";

interface Flags {
  name?: string;
  nick?: string;
  avatar?: string;
  status?: string;
  language?: string;
  visibility?: string;
  directMessages?: string;
  lastSeen?: string;
}

export function profileCommand(): Command {
  return command("profile [uid]", "Show a profile, or change your own.", [
    "parley profile",
    "parley profile bob",
    "parley profile --name 'Alice Liddell' --status 'at tea'",
    "parley profile --direct-messages contacts",
  ])
    .option("--name <name>", "your name")
    .option("--nick <nick>", "your nick")
    .option("--avatar <url>", "address of your picture")
    .option("--status <text>", "a line about you")
    .option("--language <tag>", "your language: en, uk, zh-Hant")
    .option("--visibility <who>", "everybody, or contacts: who finds you and sees your profile")
    .option("--direct-messages <who>", "anyone, or contacts: who may write to you")
    .option("--last-seen <who>", "everybody, contacts or nobody: who may know when you were last seen")
    .action(
      action<Flags>(async ({ account, output, flags }, uid) => {
        const changes = changesOf(flags);
        const isChanged = Object.keys(changes).length > 0;
        if (uid !== undefined && isChanged) throw new UsageError("a profile that is not yours cannot be changed");
        const profile = isChanged
          ? await account.call(profileUpdate, changes)
          : uid === undefined
            ? await account.call(profileGet, {})
            : await account.call(usersGet, { uid });
        const lines = Object.entries(profile)
          .filter(([, value]) => typeof value === "string" && value !== "")
          .map(([field, value]) => `${field}: ${printable(value as string)}`);
        output.result(profile, lines.join("\n"));
      }),
    );
}

export function findCommand(): Command {
  return command("find <beginning>", "Find people by the beginning of their uid, name or nick.", [
    "parley find ali",
  ]).action(
    action(async ({ account, output }, query = "") => {
      const { users } = await account.call(usersSearch, { query });
      for (const user of users) output.result(user, `${user.uid}  ${printable(user.name)}`);
      if (users.length === 0) output.note("nobody");
    }),
  );
}

function changesOf(flags: Flags): ParamsOf<typeof profileUpdate> {
  const { visibility, directMessages, lastSeen } = flags;
  if (visibility !== undefined && visibility !== "everybody" && visibility !== "contacts")
    throw new UsageError("--visibility everybody or --visibility contacts");
  if (directMessages !== undefined && directMessages !== "anyone" && directMessages !== "contacts")
    throw new UsageError("--direct-messages anyone or --direct-messages contacts");
  if (lastSeen !== undefined && lastSeen !== "everybody" && lastSeen !== "contacts" && lastSeen !== "nobody")
    throw new UsageError("--last-seen everybody, contacts or nobody");
  const texts = (["name", "nick", "avatar", "status", "language"] as const).filter((key) => flags[key] !== undefined);
  return {
    ...Object.fromEntries(texts.map((key) => [key, flags[key]])),
    ...(visibility === undefined ? {} : { visibility }),
    ...(directMessages === undefined ? {} : { directMessages }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
  };
}
