// The content of a message with a file, with what the server has made of it, if that comes in time.
import { type Attachment, type FileContent, fileContent } from "@parley/protocol";
import { pause } from "./pause.ts";

export interface KnownOptions {
  /** how long to wait for what the server makes of a picture, recording or film (ms); 0: not at all; default 5,000 */
  waitMs?: number;
  signal?: AbortSignal;
}

const defaultMs = 5_000;
const firstPauseMs = 100;
const longestPauseMs = 1_000;

/**
 * Asks until it is known, or the time is over, and answers what is known then. `ask` is `attachments.info`; that it fails holds no message
 * back. Throws the signal's reason.
 */
export async function knownContent(
  attachment: Attachment,
  ask: (id: string) => Promise<Attachment>,
  { waitMs = defaultMs, signal }: KnownOptions = {},
): Promise<FileContent> {
  if (attachment.media?.state !== "pending" || waitMs <= 0) return fileContent(attachment);
  const over = new AbortController();
  const ended = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  let known = attachment;
  const asking = async () => {
    for (
      let pauseMs = firstPauseMs;
      known.media?.state === "pending";
      pauseMs = Math.min(2 * pauseMs, longestPauseMs)
    ) {
      await pause(pauseMs, ended);
      known = await ask(known.id).catch(() => known);
    }
  };
  const first = [asking(), pause(waitMs, ended)];
  try {
    await Promise.race(first);
  } finally {
    over.abort();
    // What is given up has nothing to say any more.
    for (const one of first) one.catch(() => {});
  }
  return fileContent(known);
}
