// parley restore: a backup becomes the data folder of a Parley that does not run yet.
import { resolve } from "node:path";
import { Command } from "commander";
import { findPlace } from "../backup/place.ts";
import { openOutput } from "../output.ts";
import { startSteps } from "../progress.ts";

const help = `
The backup is put into PARLEY_DIR (.parley), which must not be there yet, or be empty: stop Parley and move the old folder away.
Every file is compared with what was written down when the backup was made and opened once; PARLEY_DIR is there as a whole at the
end, or not at all. Then start Parley as always.

What users notice: messages and logins since the backup are gone. A device that holds later messages than the server keeps
showing them; what it was promised and is lost it can only send again. Logins made since the backup ask for the password.

Examples:
  $ parley restore /var/backups/parley-2026-11-28
  $ PARLEY_DIR=/srv/parley parley restore /mnt/backups/parley`;

export function restoreCommand(): Command {
  return new Command("restore")
    .argument("<dir>", "what parley backup made")
    .description("Put a backup into a new data folder.")
    .option("--json", "the result as JSON instead of text")
    .addHelpText("after", help)
    .action(async (dir: string, flags: { json?: boolean }) => {
      const output = openOutput(flags.json === true);
      const place = findPlace();
      const { putBack } = await import("@parley/store/backup");
      const steps = startSteps(output.json);
      const tell = (done: number, of: number) => steps.tell("copying", done, of);
      const { begunAt, services } = await putBack(resolve(dir), place.dir, tell).finally(steps.end);
      const when = new Date(begunAt).toISOString();
      output.result(
        { dir: place.dir, begunAt, services },
        `${place.dir} holds the backup of ${when}; start Parley: npm start`,
      );
    });
}
