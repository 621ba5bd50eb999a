// parley store: moving what services keep from one store to another.
import { conversationPartitionCount } from "@parley/protocol/partition";
import type { Difference } from "@parley/store/copy";
import { Command } from "commander";
import { filesOf } from "../backup/place.ts";
import { startCopyProgress } from "../copy-progress.ts";
import { UsageError } from "../failure.ts";
import { openOutput } from "../output.ts";

const shownDifferences = 10;

const copyHelp = `
FROM and TO are what STORE_URL may be:
  sqlite:FOLDER
  mongodb://HOST[,HOST…]/DATABASE   (mongodb+srv://… too; the database is "parley" when none is named)

Stop Parley's services before you copy. With SQLite a store in use is refused; with MongoDB that cannot be seen:
a source that changed meanwhile shows in the comparison at the end, and the command then fails.

The files that messages refer to are copied too: from beside FROM to beside TO, as without BLOBS_URL. Where Parley runs with
a BLOBS_URL, say so with --blobs-from and --blobs-to (files:FOLDER, mongodb://…, s3+https://KEY:SECRET@HOST/BUCKET), or
leave them where they are with --no-blobs.

TO must be empty. A copy that was ended, whatever ended it, goes on where it was when it is started again; until it is
finished no service starts on TO. At the end both stores are read again and compared. The exit code is 0 only when they
hold the same; FROM is left as it is.

Examples:
  $ parley store copy sqlite:.parley/data mongodb://db1,db2,db3/parley
  $ parley store copy mongodb://db1/parley sqlite:/var/backups/parley
  $ parley store copy sqlite:.parley/data mongodb://db1/parley --blobs-to s3+https://KEY:SECRET@s3.example/parley`;

export function storeCommand(): Command {
  const store = new Command("store").description("Move what Parley keeps from one store to another.");
  store.addCommand(copy());
  return store.addHelpText(
    "after",
    "\nExamples:\n  $ parley store copy sqlite:.parley/data mongodb://db1,db2,db3/parley",
  );
}

function copy(): Command {
  return new Command("copy")
    .arguments("<from> <to>")
    .description("Copy everything: messages, conversations, accounts, rooms, devices, files.")
    .option("--blobs-from <url>", "where FROM's files are (default: beside FROM)")
    .option("--blobs-to <url>", "where TO's files go (default: beside TO)")
    .option("--no-blobs", "leave the files where they are")
    .option("--json", "the result as JSON instead of text")
    .addHelpText("after", copyHelp)
    .action(async (from: string, to: string, flags: CopyFlags) => {
      if (!flags.blobs && (flags.blobsFrom ?? flags.blobsTo) !== undefined)
        throw new UsageError("--no-blobs copies no files: leave out --blobs-from and --blobs-to");
      await runCopy(from, to, flags);
    });
}

type CopyFlags = { blobs: boolean; blobsFrom?: string; blobsTo?: string; json?: boolean };

async function runCopy(from: string, to: string, flags: CopyFlags): Promise<void> {
  const output = openOutput(flags.json === true);
  // Here, so that other commands start without the engines.
  const { copyStore, StoreError } = await import("@parley/store/copy");
  const shown = startCopyProgress(output);
  const begunAt = performance.now();
  const blobs = flags.blobs ? { service: filesOf, from: flags.blobsFrom, to: flags.blobsTo } : undefined;
  const copying = copyStore({ from, to, partitions: conversationPartitionCount, blobs, progress: shown.update });
  const result = await copying.finally(shown.end).catch((error: unknown) => {
    throw error instanceof StoreError && error.code === "invalid_url" ? new UsageError(error.message) : error;
  });
  const { differences, entries, documents, files, services } = result;
  const seconds = ((performance.now() - begunAt) / 1_000).toFixed(1);
  if (output.json || differences.length === 0) {
    output.result(
      result,
      `copied ${entries} entries, ${documents} documents and ${files} files of ${services.join(", ")} in ${seconds} s; both stores hold the same`,
    );
  }
  for (const difference of differences.slice(0, shownDifferences)) output.note(describeDifference(difference));
  if (differences.length > 0) throw new Error(differText(differences.length));
}

function describeDifference({ service, of, from, to }: Difference): string {
  const counts = `${from.count} in FROM, ${to.count} in TO`;
  return `${service}, ${of}: ${from.count === to.count ? `${from.count} on both sides, but not the same` : counts}`;
}

function differText(count: number): string {
  return `FROM and TO differ in ${count} ${count === 1 ? "place" : "places"}: is FROM in use? Stop Parley and run this again, it copies what is missing; if they still differ, empty TO first`;
}
