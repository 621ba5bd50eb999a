// A stream cut into pieces, each of which is read to its end before the next is asked for.

export interface Pieces {
  /** undefined: there is nothing more. Whoever checks what passes may throw into the piece's reader. */
  next(): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** why the stream ended early; what it brought until then is in the pieces */
  failure(): unknown;
  close(): Promise<void>;
}

/** `check` sees each chunk before it is handed on. */
export function cutIntoPieces(
  source: AsyncIterable<Uint8Array>,
  pieceBytes: number,
  check: (chunk: Uint8Array) => Promise<void>,
): Pieces {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array | undefined;
  let failure: unknown;
  let isOver = false;

  async function read(): Promise<Uint8Array | undefined> {
    if (isOver) return undefined;
    try {
      const { value, done } = await iterator.next();
      isOver = done === true;
      return isOver ? undefined : value;
    } catch (error) {
      isOver = true;
      failure = error;
      return undefined;
    }
  }

  async function checked(): Promise<Uint8Array | undefined> {
    const chunk = await read();
    if (chunk) await check(chunk);
    return chunk;
  }

  async function* piece(first: Uint8Array): AsyncGenerator<Uint8Array> {
    let room = pieceBytes;
    for (let chunk: Uint8Array | undefined = first; chunk; chunk = await checked()) {
      const taken = chunk.subarray(0, room);
      if (taken.byteLength < chunk.byteLength) rest = chunk.subarray(room);
      room -= taken.byteLength;
      yield taken;
      if (room === 0) return;
    }
  }

  return {
    async next() {
      const first = rest ?? (await checked());
      rest = undefined;
      return first && piece(first);
    },
    failure: () => failure,
    async close() {
      await iterator.return?.();
    },
  };
}
