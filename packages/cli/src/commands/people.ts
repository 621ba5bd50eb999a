// parley profile and parley find: who you are to others, and who others are.
import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
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
  vcard?: string;
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
    .option("--vcard <file>", "anything else about you: a file with a JSON object of at most 8 KiB; - for stdin")
    .option("--visibility <who>", "who sees your profile: everybody, or contacts; then no search finds you")
    .option("--direct-messages <who>", "anyone, or contacts: who may write to you")
    .option("--last-seen <who>", "everybody, contacts or nobody: who may know when you were last seen")
    .action(
      action<Flags>(async ({ account, output, flags }, uid) => {
        const changes = { ...changesOf(flags), ...(await vcardOf(flags)) };
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
        if (Object.keys(profile.vcard).length > 0) lines.push(`vcard: ${printable(JSON.stringify(profile.vcard))}`);
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

async function vcardOf({ vcard }: Flags): Promise<Pick<ParamsOf<typeof profileUpdate>, "vcard">> {
  if (vcard === undefined) return {};
  const text = vcard === "-" ? await readAll(process.stdin) : await readFile(vcard, "utf8").catch(unread(vcard));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { vcard: value as Record<string, unknown> };
  } catch {
    // Said below.
  }
  throw new UsageError(`--vcard ${vcard}: a JSON object is needed, such as {"city":"Kyiv"}`);
}

function unread(path: string): (error: NodeJS.ErrnoException) => never {
  return ({ code }) => {
    throw new UsageError(`--vcard ${path}: it cannot be read (${code})`);
  };
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
