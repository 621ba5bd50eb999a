// parley get: a file that was sent, into a file or to stdout, compared with its hash.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError, type Attachment } from "@parley/client";
import { attachmentOf, attachmentsInfo } from "@parley/protocol";
import type { Command } from "commander";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { printable } from "../output.ts";
import { writeWhole } from "../write-whole.ts";

export function getCommand(): Command {
  return command("get <file>", "Fetch a file that was sent: its id, or the url of its message.", [
    "parley get f-abcdefghijklmnopqrstuvwxyz234567 -o photo.jpg",
    "parley get /attachments/f-abcdefghijklmnopqrstuvwxyz234567 > photo.jpg",
    "parley get f-abcdefghijklmnopqrstuvwxyz234567 --thumbnail -o small.webp",
  ])
    .option("-o, --output <path>", "where to; without it to stdout")
    .option("--thumbnail", "a small picture of it instead, where it has one")
    .action(
      action<{ output?: string; thumbnail?: boolean }>(async ({ account, output, flags }, file = "") => {
        const thumbnail = flags.thumbnail === true;
        const answer = await account.download(file, { thumbnail });
        // Where it was fetched from S3, the tag is not the server's own.
        const described = answer.redirected ? await account.download(file, { thumbnail, headersOnly: true }) : answer;
        const hash = createHash("sha256");
        let size = 0;
        // A thumbnail's tag is that of the file it was made of.
        const wanted = thumbnail ? undefined : /^"([0-9a-f]{64})"$/.exec(described.headers.get("etag") ?? "")?.[1];
        async function* counted(chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            size += chunk.byteLength;
            yield chunk;
          }
          if (!thumbnail && hash.digest("hex") !== wanted)
            throw new AppError("unavailable", "the file did not arrive as it is; try again");
        }
        const bytes = Readable.fromWeb(answer.body as never);
        if (flags.output === undefined) return pipeline(bytes, counted, process.stdout, { end: false });
        await writeWhole(flags.output, (path) => pipeline(bytes, counted, createWriteStream(path, { flags: "wx" })));
        const known = wanted === undefined ? {} : { hash: `sha256:${wanted}` };
        output.result({ path: flags.output, size, ...known }, `${printable(flags.output)}  ${size} bytes`);
      }),
    );
}

export function infoCommand(): Command {
  return command(
    "info <file>",
    "What the server knows of a file: its kind, size, length, and whether it has a thumbnail.",
    ["parley info f-abcdefghijklmnopqrstuvwxyz234567"],
  ).action(
    action(async ({ account, output }, file = "") => {
      const id = attachmentOf({ file }) ?? attachmentOf({ url: file });
      if (id === undefined) throw new UsageError(`${file} is neither the id nor the path of a file`);
      const info = await account.call(attachmentsInfo, { id });
      output.result(info, infoLines(info).join("\n"));
    }),
  );
}

function infoLines({ name, mime, size, hash, media, scan }: Attachment): string[] {
  const { state, reason, width, height, durationMs, thumbnail } = media ?? {};
  const shown: [name: string, value: string | undefined][] = [
    ["name", printable(name)],
    ["mime", mime],
    ["size", `${size} bytes`],
    ["hash", hash],
    ["pixels", width === undefined ? undefined : `${width} × ${height}`],
    ["length", durationMs === undefined ? undefined : `${durationMs / 1_000} s`],
    ["thumbnail", thumbnail && `${thumbnail.width} × ${thumbnail.height}, ${thumbnail.size} bytes`],
    ["media", state === "ready" ? undefined : [state, reason].filter(Boolean).join(", ")],
    ["scan", scan],
  ];
  return shown.filter(([, value]) => value).map(([field, value]) => `${field}: ${value}`);
}
