// A bar on stderr for long work, where somebody looks at it.

export interface Progress {
  update(done: number, of: number): void;
  end(): void;
}

const width = 30;

export function startProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update() {}, end() {} };
  return {
    update(done, of) {
      const share = of > 0 ? Math.min(1, done / of) : 1;
      const full = Math.round(share * width);
      const bar = "█".repeat(full) + "░".repeat(width - full);
      stream.write(`\r${label} ${bar} ${Math.floor(share * 100)} %  ${done}/${of}\x1b[K`);
    },
    end: () => void stream.write("\r\x1b[K"),
  };
}

export interface Steps {
  tell(step: string, done: number, of: number): void;
  end(): void;
}

const lineEveryMs = 3_000;

/** Steps of a work that are told by name: a bar on a terminal, else a line every few seconds. */
export function startSteps(quiet: boolean, stream: NodeJS.WriteStream = process.stderr): Steps {
  let shown: { step: string; bar: Progress } | undefined;
  let saidAt = performance.now();
  return {
    tell(step, done, of) {
      if (quiet) return;
      if (stream.isTTY) {
        if (shown?.step !== step) shown = { step, bar: startProgress(step, stream) };
        shown.bar.update(done, of);
      } else if (performance.now() - saidAt > lineEveryMs) {
        saidAt = performance.now();
        stream.write(`${step}: ${of > 0 ? Math.floor((done / of) * 100) : 0} %\n`);
      }
    },
    end: () => shown?.bar.end(),
  };
}
