// How far a copy is, on stderr: one line written over on a terminal, else a line every few seconds.
import type { CopyProgress } from "@parley/store/copy";
import type { Output } from "./output.ts";

const terminalMs = 100;
const lineMs = 3_000;

export interface ShownProgress {
  update(progress: CopyProgress): void;
  end(): void;
}

export function startCopyProgress(output: Output, stream: NodeJS.WriteStream = process.stderr): ShownProgress {
  const everyMs = stream.isTTY ? terminalMs : lineMs;
  const describe = startDescribing();
  let shownAt = performance.now();
  return {
    update(progress) {
      const now = performance.now();
      const line = describe(progress, now);
      if (output.json || now - shownAt < everyMs) return;
      shownAt = now;
      stream.write(stream.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
    },
    end: () => void (stream.isTTY && !output.json && stream.write("\r\x1b[K")),
  };
}

const verbs = { copy: "copying", compare: "comparing" } as const;

/** A line for the progress at `now`, performance.now(); the rate is that of the step since it began. */
export function startDescribing(): (progress: CopyProgress, now: number) => string {
  let step: CopyProgress["step"] | undefined;
  let begun = { at: 0, done: 0 };
  return (progress, now) => {
    const { entries, documents, files, bytes, entriesLeft } = progress;
    if (progress.step !== step) {
      step = progress.step;
      begun = { at: now, done: entries + documents + files };
    }
    const rate = ((entries + documents + files - begun.done) / (now - begun.at)) * 1_000;
    const shownRate = now > begun.at ? `, ${Math.round(rate)}/s` : "";
    const left = entriesLeft > 0 ? `, at most ${entriesLeft} entries left` : "";
    const shownFiles = files > 0 ? `, ${files} files of ${Math.round(bytes / 1_048_576)} MiB` : "";
    return `${verbs[progress.step]}: ${entries} entries, ${documents} documents${shownFiles}${shownRate}${left}`;
  };
}
