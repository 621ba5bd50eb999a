// What is made of a file of each kind, and by which programs.
import type { FileHandle } from "node:fs/promises";
import { decodeSound, lookAtFilm } from "./ffmpeg.ts";
import type { Made, Outcome, Picture, Sound } from "./made.ts";
import { collectOutput } from "./output.ts";
import { type RunLimits, run } from "./run.ts";

export interface MakeLimits extends RunLimits {
  pixels: number;
  /** true: ffmpeg is on the PATH */
  hasFfmpeg: boolean;
}

/** A file that is larger is not looked at (bytes). */
export const lookedAtBytes = 256 * 1024 * 1024;
/** What a program may say. */
const outputMax = 4 * 1024 * 1024;
const picture = /^image\/(jpeg|png|apng|webp|gif|avif|hei[cf](-sequence)?|tiff)$/;
const recording = /^(audio|video)\//;

/** Is anything made of files of this media type? */
export function isLookedAt(type: string): boolean {
  return picture.test(type) || recording.test(type);
}

/** Throws only when the caller is closing, or a program cannot be started. */
export async function make(file: FileHandle, type: string, limits: MakeLimits): Promise<Outcome> {
  return picture.test(type) ? ofPicture(file, type, limits) : ofRecording(file, type, limits);
}

async function ofPicture(file: FileHandle, type: string, limits: MakeLimits): Promise<Outcome> {
  const answer = await askWorker<Picture>(["picture", type, String(limits.pixels)], file, limits);
  if (!("found" in answer)) return answer;
  const { thumbnailOf, ...size } = answer.found;
  return { made: { ...size, thumbnail: { ...thumbnailOf, bytes: answer.rest } } };
}

async function ofRecording(file: FileHandle, type: string, limits: MakeLimits): Promise<Outcome> {
  const said = await askWorker<Sound>(["sound", type], file, limits);
  const made: Made = "found" in said ? { ...said.found, ...measuredIn(said.rest) } : {};
  if (limits.hasFfmpeg) {
    if (type.startsWith("video/")) Object.assign(made, await lookAtFilm(file, type, limits));
    // What could not be decoded without it.
    if (!made.waveform) Object.assign(made, await decodeSound(file, type, limits));
  }
  if (Object.keys(made).length > 0) return { made };
  return "found" in said ? { failed: "unreadable" } : said;
}

// A second line, unless it took too long or could not be measured.
function measuredIn(rest: Buffer): Sound {
  const line = rest.indexOf("\n");
  return line < 0 ? {} : (JSON.parse(rest.subarray(0, line).toString()) as Sound);
}

async function askWorker<Found>(
  args: readonly string[],
  file: FileHandle,
  limits: RunLimits,
): Promise<{ found: Found; rest: Buffer } | Exclude<Outcome, { made: Made }>> {
  const output = collectOutput(outputMax);
  const ended = await run({ program: "worker", args, fd: file.fd, onOutput: output.take }, limits);
  const bytes = output.bytes();
  if (!bytes) return { failed: "too_large" };
  const line = bytes.indexOf("\n");
  // What a recording says of itself stands, whatever became of measuring it.
  if (args[0] !== "sound" || line < 0) {
    if (ended === "too_slow") return { again: ended };
    if (ended === "too_large") return { failed: ended };
    if (ended === "died" || line < 0) return { again: "unreadable" };
  }
  const found = JSON.parse(bytes.subarray(0, line).toString()) as Found | { failed: "unreadable" | "too_large" };
  if (typeof found === "object" && found !== null && "failed" in found) return { failed: found.failed };
  return { found: found as Found, rest: bytes.subarray(line + 1) };
}
