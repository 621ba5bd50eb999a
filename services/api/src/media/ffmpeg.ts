// What ffmpeg tells of recordings: sound as it is heard, size and first picture of films.
import type { FileHandle } from "node:fs/promises";
import type { Made, Sound } from "./made.ts";
import { collectOutput } from "./output.ts";
import { type RunLimits, run } from "./run.ts";
import { openPcm, rate } from "./waveform.ts";

// Which reader, so that no file is taken for a list of other files.
const readers: readonly [RegExp, string][] = [
  [/^(audio|video)\/(mp4|quicktime|3gpp2?|x-m4[av]|m4a)$/, "mov"],
  [/^(audio|video)\/(webm|matroska|x-matroska)$/, "matroska"],
  [/^(audio|video)\/(ogg|opus)(;|$)/, "ogg"],
  [/^audio\/mpeg$/, "mp3"],
  [/^audio\/(wav|wave|x-wav|vnd\.wave)$/, "wav"],
  [/^audio\/(x-)?flac$/, "flac"],
  [/^audio\/aac$/, "aac"],
  [/^audio\/amr$/, "amr"],
];
const secondsMax = 4 * 60 * 60;
const thumbnailMax = 1024 * 1024;
const probedMax = 1024 * 1024;
const side = 320;

/** Empty: it has no sound, or none that is understood. */
export async function decodeSound(file: FileHandle, type: string, limits: RunLimits): Promise<Sound> {
  const input = inputOf(type);
  if (!input) return {};
  const waveform = openPcm();
  const pcm = ["-map", "0:a:0", "-ac", "1", "-ar", String(rate), "-t", String(secondsMax), "-f", "s16le", "pipe:1"];
  const args = ["-v", "error", "-nostdin", "-threads", "1", ...input, ...pcm];
  const ended = await run({ program: "ffmpeg", args, fd: file.fd, onOutput: waveform.take }, limits);
  return ended === undefined ? waveform.result() : {};
}

/** Empty: it has no picture, or none that is understood. */
export async function lookAtFilm(file: FileHandle, type: string, limits: RunLimits): Promise<Made> {
  const input = inputOf(type);
  const size = input && (await probe(file, input, limits));
  if (!input || !size) return {};
  const frame = collectOutput(thumbnailMax);
  const scaled = `scale='min(${side},iw)':'min(${side},ih)':force_original_aspect_ratio=decrease`;
  const picture = [
    "-map",
    "0:v:0",
    "-frames:v",
    "1",
    "-vf",
    scaled,
    "-map_metadata",
    "-1",
    "-c:v",
    "png",
    "-f",
    "image2pipe",
  ];
  const args = ["-v", "error", "-nostdin", "-threads", "1", ...input, ...picture, "pipe:1"];
  const ended = await run({ program: "ffmpeg", args, fd: file.fd, onOutput: frame.take }, limits);
  const png = frame.bytes();
  if (ended !== undefined || png === undefined || png.byteLength < 24) return size;
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  return { ...size, thumbnail: { bytes: png, type: "image/png", width, height } };
}

async function probe(file: FileHandle, input: readonly string[], limits: RunLimits): Promise<Made | undefined> {
  const output = collectOutput(probedMax);
  const entries = "stream=width,height:stream_side_data=rotation:format=duration";
  const args = ["-v", "error", ...input, "-select_streams", "v:0", "-show_entries", entries, "-of", "json"];
  const ended = await run({ program: "ffprobe", args, fd: file.fd, onOutput: output.take }, limits);
  const said = output.bytes();
  if (ended !== undefined || said === undefined) return undefined;
  const { streams = [], format = {} } = JSON.parse(said.toString()) as {
    streams?: { width?: number; height?: number; side_data_list?: { rotation?: number }[] }[];
    format?: { duration?: string };
  };
  const { width, height, side_data_list: turns = [] } = streams[0] ?? {};
  if (!width || !height) return undefined;
  const isTurned = turns.some(({ rotation = 0 }) => Math.abs(rotation) % 180 === 90);
  const duration = Number(format.duration);
  return {
    ...(isTurned ? { width: height, height: width } : { width, height }),
    ...(duration > 0 ? { durationMs: Math.round(duration * 1_000) } : {}),
  };
}

function inputOf(type: string): string[] | undefined {
  const reader = readers.find(([pattern]) => pattern.test(type))?.[1];
  return reader === undefined ? undefined : ["-protocol_whitelist", "file", "-f", reader, "-i", "file:/dev/stdin"];
}
