// parley send: one message, and its ack.

import { randomUUID } from "node:crypto";
import { constants, openAsBlob } from "node:fs";
import { access, stat } from "node:fs/promises";
import { basename } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ack, AppError, knownContent } from "@parley/client";
import { attachmentsInfo, contentKinds, linksPreview, messagesSchedule, messagesSend } from "@parley/protocol";
import type { Command } from "commander";
import type { Account } from "../account.ts";
import { readAddress } from "../address.ts";
import { action, command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { type Output, printable } from "../output.ts";
import { startProgress } from "../progress.ts";
import { readNumber } from "../read-number.ts";
import { readSeconds, readTime } from "../read-time.ts";
import { formatScheduled } from "./scheduled.ts";

const nothing = "nothing to send: give a text, or - and the text on stdin";

type Content = { type: string; [field: string]: unknown };

interface Flags {
  type: string;
  file?: string;
  id?: string;
  thread?: string;
  reply?: string;
  mention?: string[];
  wait: string;
  waitMedia: string;
  at?: string;
  preview?: boolean;
  expires?: string;
  fromRead?: boolean;
}

export function sendCommand(): Command {
  return command("send <to> [text...]", "Send one message and print its ack once it is stored.", [
    'parley send bob "hi there"',
    "parley send '#general' hello everybody",
    "git log -1 | parley send bob -",
    "parley send bob --file photo.jpg 'the view from here'",
    'parley send bob --type sticker \'{"emoji":"🎉"}\'',
    "parley send bob --preview 'look: https://example.org'",
    "parley send bob --at 2030-01-01T00:00 'happy new year'",
    "parley send bob --type x-weather '{\"celsius\":21}' --json",
  ])
    .option(
      "--type <type>",
      "content type; of anything but text the fields (of x-… the data) are given as JSON",
      "text",
    )
    .option("--file <path>", "uploads this file and sends it; the text goes with it")
    .option(
      "--wait-media <seconds>",
      "how long to wait for a file's size in pixels, length and so on; 0: not at all",
      "5",
    )
    .option("--id <id>", "sent again with the same id it is stored once")
    .option("--thread <thread>", "the seq of the message that the thread is about, or a text that is passed through")
    .option("--reply <seq>", "answers the message with this seq")
    .option("--mention <uids...>", "mentions these, or @all")
    .option("--preview", "sends along what the first page that the text links to says of itself")
    .option("--at <time>", "sent then: 2030-01-31T18:00, or +30s, +90m, +2h, +1d from now")
    .option("--expires <time>", "disappears after 30s, 90m, 2h, 1d")
    .option("--from-read", "with --expires: counted from its first reading")
    .option("--wait <seconds>", "how long to try while the server is not available", "30")
    .action(
      action<Flags>(async ({ account, output, flags }, to, ...words) => {
        const waitSeconds = readNumber("--wait", flags.wait, 0);
        const waitMs = readNumber("--wait-media", flags.waitMedia, 0) * 1_000;
        const given =
          flags.file === undefined
            ? await readContent(flags, words)
            : await uploaded(account, flags.file, words, { waitSeconds, waitMs });
        const content = flags.preview ? await withPreview(account, output, given) : given;
        const reply = flags.reply === undefined ? undefined : readNumber("--reply", flags.reply, 1);
        const packet = {
          id: flags.id ?? randomUUID(),
          to: readAddress(to ?? ""),
          content: { ...content, ...(flags.mention && { mentions: flags.mention }) },
          ...(flags.thread === undefined
            ? {}
            : { thread: /^\d+$/.test(flags.thread) ? Number(flags.thread) : flags.thread }),
          ...(reply === undefined ? {} : { reply }),
          ...expiryOf(flags),
        };
        if (flags.at !== undefined) {
          const scheduled = await account.call(messagesSchedule, { at: readTime("--at", flags.at), message: packet });
          return output.result(scheduled, formatScheduled(scheduled, output));
        }
        const ack = await sendUntilStored(account, packet, waitSeconds);
        printAck(output, ack);
      }),
    );
}

function expiryOf({ expires, fromRead }: Flags): { expires?: number; expiresFrom?: "read" } {
  if (expires === undefined) return {};
  return { expires: readSeconds("--expires", expires), ...(fromRead && { expiresFrom: "read" as const }) };
}

async function readContent({ type }: Flags, words: readonly string[]): Promise<Content> {
  const text = words.join(" ") === "-" || words.length === 0 ? await readStdin() : words.join(" ");
  if (type === "text" && text.trim() === "") throw new UsageError(nothing);
  if (text === "") return { type };
  const data = readData(type, text);
  // Of a type that Parley knows the fields are given, of an application's own its data.
  const isFields = type in contentKinds && typeof data === "object" && data !== null;
  return isFields ? { ...data, type } : { type, data };
}

// A page that cannot be read holds no message up.
async function withPreview(account: Account, output: Output, content: Content): Promise<Content> {
  const { type, data } = content;
  const url = type === "text" && typeof data === "string" ? /https?:\/\/[^\s<>"]+/i.exec(data)?.[0] : undefined;
  if (url === undefined) throw new UsageError("--preview: there is no link in the text");
  try {
    return { ...content, preview: await account.call(linksPreview, { url }) };
  } catch (error) {
    const { code, message } = AppError.from(error);
    if (code === "unauthenticated") throw error;
    output.note(`sent without a preview: ${printable(message)}`);
    return content;
  }
}

async function uploaded(
  account: Account,
  path: string,
  words: readonly string[],
  { waitSeconds, waitMs }: { waitSeconds: number; waitMs: number },
): Promise<Content> {
  const bytes = await openFile(path);
  const name = basename(path);
  const progress = startProgress(printable(name));
  const { update: onProgress } = progress;
  const options = { name, onProgress, patienceMs: waitSeconds * 1_000 };
  const attachment = await account.upload(bytes, options).finally(() => progress.end());
  const content = await knownContent(attachment, (id) => account.call(attachmentsInfo, { id }), { waitMs });
  return { ...content, ...(words.length > 0 ? { data: words.join(" ") } : {}) };
}

async function openFile(path: string): Promise<Blob> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isFile()) return await openAsBlob(path);
  } catch (error) {
    throw new UsageError(`--file ${path}: it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  throw new UsageError(`--file ${path}: it is no file`);
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) throw new UsageError(nothing);
  return (await readAll(process.stdin)).replace(/\n$/, "");
}

function readData(type: string, text: string): unknown {
  if (type === "text") return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`content of type ${type} is given as JSON`);
  }
}

/** With an id the message may be sent as often as it takes. */
export function sendUntilStored(
  account: Account,
  packet: { id: string; to: string; content: { type: string }; reply?: number; thread?: number | string },
  waitSeconds: number,
): Promise<Ack> {
  return untilDone(() => account.call(messagesSend, packet), waitSeconds);
}

/** Does it again while the server is not available: it must come to the same when it is done twice. */
export async function untilDone<T>(work: () => Promise<T>, waitSeconds: number): Promise<T> {
  const deadline = Date.now() + waitSeconds * 1_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { code } = AppError.from(error);
      if ((code !== "unavailable" && code !== "rate_limited") || Date.now() > deadline) throw error;
      await sleep(500);
    }
  }
}

export function printAck(output: Output, ack: Pick<Ack, "conv" | "seq">): void {
  output.result(ack, `${output.style("green", "✓")} ${ack.conv} #${ack.seq}`);
}
