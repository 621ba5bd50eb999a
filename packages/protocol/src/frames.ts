// Frames between services: one JSON header, then bodies as they are, neither parsed nor built again.
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** `[header length, u32 big endian][header, JSON][bodies …]` */
export function packFrame(header: unknown, bodies: readonly Uint8Array[]): Uint8Array {
  const head = encoder.encode(JSON.stringify(header));
  let size = 4 + head.byteLength;
  for (const body of bodies) size += body.byteLength;
  const frame = new Uint8Array(size);
  new DataView(frame.buffer).setUint32(0, head.byteLength);
  frame.set(head, 4);
  let at = 4 + head.byteLength;
  for (const body of bodies) {
    frame.set(body, at);
    at += body.byteLength;
  }
  return frame;
}

/** The header of a frame and a function that hands out its bodies in order, without copying. */
export function openFrame(frame: Uint8Array): { header: unknown; take(size: number): Uint8Array } {
  const headerBytes = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0);
  let at = 4 + headerBytes;
  if (at > frame.byteLength) throw new RangeError("frame shorter than its header says");
  const header: unknown = JSON.parse(decoder.decode(frame.subarray(4, at)));
  return {
    header,
    take(size) {
      if (at + size > frame.byteLength) throw new RangeError("frame shorter than its bodies");
      at += size;
      return frame.subarray(at - size, at);
    },
  };
}
