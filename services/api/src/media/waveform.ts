// Sound as a few bars: the loudest moment of each part, and how long the whole is.
import { loudestBar } from "@parley/protocol";
import type { Sound } from "./made.ts";

/** Samples a second, of one channel, 16 bit, little endian: what ffmpeg is asked for. */
export const rate = 8_000;
const bars = 64;
const stepsInSecond = 20;
const loudest = 32_768;

export interface Waveform {
  /** How loud it is then, from 0 to 1; of what is not told nothing is heard. */
  add(seconds: number, loudness: number): void;
  /** The sound is so long. */
  result(seconds: number): Sound;
}

/** A number a twentieth of a second in memory. */
export function openWaveform(): Waveform {
  const peaks: number[] = [];
  return {
    add(seconds, loudness) {
      const step = Math.floor(seconds * stepsInSecond);
      peaks[step] = Math.max(peaks[step] ?? 0, loudness);
    },
    result: (seconds) => ({ durationMs: Math.round(seconds * 1_000), waveform: inBars(peaks) }),
  };
}

/** Takes PCM in pieces of any size. */
export function openPcm(): { take(chunk: Buffer): void; result(): Sound } {
  const waveform = openWaveform();
  let samples = 0;
  let half: number | undefined;
  const sample = (value: number) => {
    waveform.add(samples / rate, Math.abs(value) / loudest);
    samples += 1;
  };
  return {
    take(chunk) {
      let at = 0;
      if (half !== undefined && chunk.byteLength > 0) {
        sample(Buffer.from([half, chunk[0]!]).readInt16LE());
        half = undefined;
        at = 1;
      }
      for (; at + 1 < chunk.byteLength; at += 2) sample(chunk.readInt16LE(at));
      if (at < chunk.byteLength) half = chunk[at];
    },
    result: () => (samples === 0 ? {} : waveform.result(samples / rate)),
  };
}

function inBars(peaks: readonly number[]): number[] {
  const count = Math.min(bars, peaks.length);
  return Array.from({ length: count }, (_, bar) => {
    const part = peaks.slice(Math.floor((bar * peaks.length) / count), Math.floor(((bar + 1) * peaks.length) / count));
    // Some decoders go a little beyond.
    const loudness = part.reduce((most, one) => Math.max(most, one ?? 0), 0);
    return Math.min(loudestBar, Math.round(loudness * loudestBar));
  });
}
