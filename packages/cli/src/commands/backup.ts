// parley backup: everything of a Parley on SQLite, while it runs.
import { resolve } from "node:path";
import { Command } from "commander";
import { findPlace } from "../backup/place.ts";
import { UsageError } from "../failure.ts";
import { openOutput } from "../output.ts";
import { startSteps } from "../progress.ts";

const help = `
What is backed up is the Parley of PARLEY_DIR (.parley): its store, the files of its messages, its secrets. It may run meanwhile, and
messages go on; what comes in while the backup is made may be in it or not. Files that BLOBS_URL has elsewhere are not in it. Stopped, it is backed up as well. The folder is made new, and is there
only once every copy was opened, checked and compared; a backup that was killed leaves nothing but DIR.unfinished-…, which the
next one removes.

Never copy the files of a running Parley by other means: two files copied one after the other do not belong together. Keep
backups where nobody else can read them: they hold the secrets.

With STORE_URL=mongodb://… the tools of MongoDB make the backup: mongodump --oplog (docs/operations.md).

Examples:
  $ parley backup /var/backups/parley-2026-11-28
  $ PARLEY_DIR=/srv/parley parley backup "/mnt/backups/parley $(date +%F)"`;

const elsewhere = "\nthe files of messages are where BLOBS_URL says, and not in it: back them up there, after this";

export function backupCommand(): Command {
  return new Command("backup")
    .argument("<dir>", "a new folder")
    .description("Back up everything while Parley runs: messages, accounts, rooms, secrets.")
    .option("--json", "the result as JSON instead of text")
    .addHelpText("after", help)
    .action(async (dir: string, flags: { json?: boolean }) => {
      const output = openOutput(flags.json === true);
      if (dir === "") throw new UsageError("backup to where? parley backup DIR");
      const { makeBackup } = await import("../backup/make-backup.ts");
      const steps = startSteps(output.json);
      const target = resolve(dir);
      const place = findPlace();
      const services = await makeBackup(place, target, steps.tell).finally(steps.end);
      const counts = Object.entries(services).map(
        ([service, { entries, documents }]) => `${service}: ${entries} entries, ${documents} documents`,
      );
      output.result(
        { dir: target, services },
        `backed up to ${target} (${counts.join("; ")}); parley restore puts it back${place.blobsUrl === undefined ? "" : elsewhere}`,
      );
    });
}
