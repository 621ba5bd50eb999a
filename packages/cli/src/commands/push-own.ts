// parley push list and settings: what your devices have registered to be notified by, and how you are notified.
import type { ResultOf } from "@parley/client";
import { pushList, pushSettings, pushUpdateSettings } from "@parley/protocol";
import type { Command } from "commander";
import { action, command } from "../command.ts";
import { printable } from "../output.ts";
import { readTime } from "../read-time.ts";
import { readWord } from "../read-word.ts";

interface Flags {
  preview?: string;
  mentions?: string;
  dndUntil?: string;
}

export function listTokens(): Command {
  return command("list", "What your devices have registered to be notified by.", ["parley push list"]).action(
    action(async ({ account, output }) => {
      const { tokens } = await account.call(pushList, {});
      for (const token of tokens) output.result(token, tokenLine(token));
      if (tokens.length === 0) output.note("none yet: apps register by push.register");
    }),
  );
}

export function ownSettings(): Command {
  return command("settings", "How you are notified, on all your devices; with a flag, from now on.", [
    "parley push settings",
    "parley push settings --preview name --mentions no",
    "parley push settings --dnd-until +8h",
  ])
    .option("--preview <how>", "what notifications show: full, name, or none")
    .option("--mentions <yes|no>", "whether what mentions you is notified in muted conversations too")
    .option("--dnd-until <when>", "notify nothing until then: +30m, +8h or 2030-01-31T18:00; never ends that")
    .action(
      action<Flags>(async ({ account, output, flags }) => {
        const change = readChange(flags);
        const isChange = Object.keys(change).length > 0;
        const settings = isChange
          ? await account.call(pushUpdateSettings, change)
          : await account.call(pushSettings, {});
        output.result(settings, settingsLines(settings));
      }),
    );
}

type Settings = ResultOf<typeof pushSettings>;
type Change = { preview?: Settings["preview"]; mentions?: boolean; dndUntil?: number | null };

function readChange({ preview, mentions, dndUntil }: Flags): Change {
  return {
    ...(preview === undefined ? {} : { preview: readWord("--preview", ["full", "name", "none"], preview) }),
    ...(mentions === undefined ? {} : { mentions: readWord("--mentions", ["yes", "no"], mentions) === "yes" }),
    ...(dndUntil === undefined ? {} : { dndUntil: dndUntil === "never" ? null : readTime("--dnd-until", dndUntil) }),
  };
}

function tokenLine({
  clientId,
  kind,
  appId,
  language,
  sandbox,
  token,
  registeredAt,
}: ResultOf<typeof pushList>["tokens"][number]) {
  const since = `since ${new Date(registeredAt).toISOString()}`;
  return [printable(clientId), kind, appId, language, sandbox ? "sandbox" : "", token, since]
    .filter(Boolean)
    .join("  ");
}

function settingsLines({ preview, mentions, dndUntil }: Settings): string {
  const isQuiet = dndUntil !== null && dndUntil > Date.now();
  const shown = `shown: ${{ full: "all", name: "from whom it is", none: "that there is something" }[preview]}`;
  const mentioned = `of mentions in muted conversations: ${mentions ? "yes" : "no"}`;
  return [shown, mentioned, ...(isQuiet ? [`nothing until ${new Date(dndUntil).toISOString()}`] : [])].join("\n");
}
