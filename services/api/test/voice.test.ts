// Voice messages as browsers record them, without any other program: how long they are, and how loud along them.
import assert from "node:assert/strict";
import { type FileHandle, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Made } from "../src/media/made.ts";
import { make } from "../src/media/make.ts";
import { stage } from "../src/media/staged.ts";

const limits = {
  ...{ timeMs: 120_000, memoryBytes: 1024 * 1024 * 1024, pixels: 1_000, hasFfmpeg: false },
  closing: new AbortController().signal,
};
const recordingOf = (name: string) => readFile(join(import.meta.dirname, "recordings", name));

// As a file without a name, which is what is looked at.
async function staged(bytes: Buffer): Promise<FileHandle> {
  return stage(
    (async function* () {
      yield bytes;
    })(),
    () => undefined,
  );
}

async function madeOf(bytes: Buffer, type: string): Promise<Made> {
  const file = await staged(bytes);
  try {
    const outcome = await make(file, type, limits);
    assert.ok("made" in outcome, JSON.stringify(outcome));
    return outcome.made;
  } finally {
    await file.close();
  }
}

/** Each recording is 2.4 s: half of it loud, half a whisper. */
function assertMeasured({ durationMs }: Made): void {
  assert.ok(Math.abs(durationMs! - 2_400) < 100 && Number.isInteger(durationMs), String(durationMs));
}

function assertDrawn({ waveform = [] }: Made): void {
  assert.ok(waveform.length > 30 && waveform.length <= 64, String(waveform));
  const loud = waveform.slice(5, Math.floor(waveform.length / 2) - 3);
  const quiet = waveform.slice(Math.ceil(waveform.length / 2) + 3, -3);
  assert.ok(
    loud.every((bar) => bar > 153 && bar <= 255),
    `loud: ${loud}`,
  );
  assert.ok(
    quiet.every((bar) => bar > 8 && bar < 64),
    `quiet: ${quiet}`,
  );
}

/** 16 bit, mono. */
function wav(rate: number, seconds: number): Buffer {
  const samples = Math.round(rate * seconds);
  const bytes = Buffer.alloc(44 + samples * 2);
  bytes.write("RIFF");
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  for (const [at, value] of [
    [16, 16],
    [24, rate],
    [28, rate * 2],
    [40, samples * 2],
  ] as const)
    bytes.writeUInt32LE(value, at);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const)
    bytes.writeUInt16LE(value, at);
  bytes.write("data", 36);
  for (let index = 0; index < samples; index += 1) {
    const loudness = index < samples / 2 ? 0.8 : 0.1;
    bytes.writeInt16LE(Math.round(Math.sin((index / rate) * 880 * Math.PI) * loudness * 32_767), 44 + index * 2);
  }
  return bytes;
}

const heard: [string, string, () => Promise<Buffer>][] = [
  ["Chromium's MediaRecorder as WebM, which says no duration,", "video/webm", () => recordingOf("chromium-opus.webm")],
  ["Chromium's MediaRecorder as MP4 with Opus", "audio/mp4", () => recordingOf("chromium-opus.mp4")],
  ["Opus in Ogg, as Firefox records,", "audio/ogg", () => recordingOf("opus.ogg")],
  ["MP3 without a header that says how long it is", "audio/mpeg", () => recordingOf("mpeg.mp3")],
  ["WAV", "audio/wav", async () => wav(16_000, 2.4)],
];

for (const [name, type, read] of heard)
  test(`a recording of ${name} has its duration and its waveform without ffmpeg`, async () => {
    const made = await madeOf(await read(), type);
    assertMeasured(made);
    assertDrawn(made);
  });

test("AAC in fragments of MP4, as Safari records, has its duration without ffmpeg, and no waveform", async () => {
  const made = await madeOf(await recordingOf("aac.mp4"), "audio/mp4");
  assertMeasured(made);
  assert.equal(made.waveform, undefined);
});

test("of a recording that was cut what is there is measured; what is none is unreadable", async () => {
  const whole = await recordingOf("chromium-opus.webm");
  const { durationMs = 0, waveform = [] } = await madeOf(whole.subarray(0, Math.floor(whole.length / 2)), "audio/webm");
  assert.ok(durationMs > 500 && durationMs < 2_000 && waveform.length > 5, `${durationMs} ${waveform}`);
  const file = await staged(Buffer.concat([(await recordingOf("opus.ogg")).subarray(0, 60), Buffer.alloc(5_000, 1)]));
  const outcome = await make(file, "audio/ogg", limits).finally(() => file.close());
  assert.deepEqual(outcome, { failed: "unreadable" });
});
