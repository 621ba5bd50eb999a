// parley get: a file that was sent, into a file or to stdout, compared with its hash.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@parley/client";
import type { Command } from "commander";
import { action, command } from "../command.ts";
import { printable } from "../output.ts";
import { writeWhole } from "../write-whole.ts";

export function getCommand(): Command {
  return command("get <file>", "Fetch a file that was sent: its id, or the url of its message.", [
    "parley get f-abcdefghijklmnopqrstuvwxyz234567 -o photo.jpg",
    "parley get /attachments/f-abcdefghijklmnopqrstuvwxyz234567 > photo.jpg",
  ])
    .option("-o, --output <path>", "where to; without it to stdout")
    .action(
      action<{ output?: string }>(async ({ account, output, flags }, file = "") => {
        const answer = await account.download(file);
        // Where it was fetched from S3, the tag is not the server's own.
        const described = answer.redirected ? await account.download(file, { headersOnly: true }) : answer;
        const hash = createHash("sha256");
        let size = 0;
        const wanted = /^"([0-9a-f]{64})"$/.exec(described.headers.get("etag") ?? "")?.[1];
        async function* counted(chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            size += chunk.byteLength;
            yield chunk;
          }
          if (hash.digest("hex") !== wanted)
            throw new AppError("unavailable", "the file did not arrive as it is; try again");
        }
        const bytes = Readable.fromWeb(answer.body as never);
        if (flags.output === undefined) return pipeline(bytes, counted, process.stdout, { end: false });
        await writeWhole(flags.output, (path) => pipeline(bytes, counted, createWriteStream(path, { flags: "wx" })));
        output.result(
          { path: flags.output, size, hash: `sha256:${wanted}` },
          `${printable(flags.output)}  ${size} bytes`,
        );
      }),
    );
}
