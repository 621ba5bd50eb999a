// A stream as parts of one size, the last one smaller.
const nothing = new Uint8Array(0);

/** Holds one part in memory. A stream without bytes has one empty part. */
export async function* partsOf(bytes: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let any = false;
  for await (const chunk of bytes) {
    let rest = chunk;
    while (size + rest.byteLength >= partBytes) {
      const taken = rest.subarray(0, partBytes - size);
      yield Buffer.concat([...chunks, taken]);
      any = true;
      rest = rest.subarray(taken.byteLength);
      chunks = [];
      size = 0;
    }
    chunks.push(rest);
    size += rest.byteLength;
  }
  if (size > 0 || !any) yield size > 0 ? Buffer.concat(chunks) : nothing;
}
