// What a program says, kept as long as it is not too much.

export interface Output {
  take(chunk: Buffer): void;
  /** undefined: it has said more than it may */
  bytes(): Buffer | undefined;
}

export function collectOutput(mostBytes: number): Output {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    take(chunk) {
      size += chunk.byteLength;
      if (size <= mostBytes) chunks.push(chunk);
      else chunks.length = 0;
    },
    bytes: () => (size <= mostBytes ? Buffer.concat(chunks) : undefined),
  };
}
