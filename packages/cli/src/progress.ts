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
