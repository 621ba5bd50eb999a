// parley export: all that the server keeps of you, as a ZIP.
import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@parley/client";
import type { Command } from "commander";
import { action, command } from "../command.ts";
import { printable } from "../output.ts";
import { writeWhole } from "../write-whole.ts";

export function exportCommand(): Command {
  return command("export <file>", "Save all that the server keeps of you: messages, contacts, files, as a ZIP.", [
    "parley export everything.zip",
  ]).action(
    action(async ({ account, output }, path = "") => {
      const answer = await account.export();
      async function* told(chunks: AsyncIterable<Uint8Array>) {
        try {
          yield* chunks;
        } catch (cause) {
          throw new AppError("unavailable", "the export was cut; try again", { cause });
        }
      }
      const bytes = Readable.fromWeb(answer.body as never);
      await writeWhole(path, (aside) => pipeline(bytes, told, createWriteStream(aside, { flags: "wx" })));
      const { size } = await stat(path);
      output.result({ path, size }, `${printable(path)}  ${size} bytes`);
    }),
  );
}
