// Sound as a few bars: the loudest moment of each part, and how long the whole is.
import type { Sound } from "./made.ts";

/** Samples a second, of one channel, 16 bit, little endian. */
export const rate = 8_000;
const bars = 64;
const stepSamples = rate / 20;
const loudest = 32_768;

/** Takes PCM in pieces of any size, with a number a twentieth of a second in memory. */
export function openWaveform(): { take(chunk: Buffer): void; result(): Sound } {
  const peaks: number[] = [];
  let samples = 0;
  let half: number | undefined;
  const sample = (value: number) => {
    const step = Math.floor(samples / stepSamples);
    peaks[step] = Math.max(peaks[step] ?? 0, Math.abs(value));
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
    result() {
      if (samples === 0) return {};
      const duration = Math.round((samples / rate) * 1_000) / 1_000;
      return { duration, waveform: inBars(peaks) };
    },
  };
}

function inBars(peaks: readonly number[]): number[] {
  const count = Math.min(bars, peaks.length);
  return Array.from({ length: count }, (_, bar) => {
    const part = peaks.slice(Math.floor((bar * peaks.length) / count), Math.floor(((bar + 1) * peaks.length) / count));
    return Math.round((part.reduce((most, one) => Math.max(most, one), 0) * 100) / loudest);
  });
}
