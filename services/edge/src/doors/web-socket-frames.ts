// Reads a client's WebSocket frames [RFC 6455 5.2] piece by piece: what they hold is handed on as it comes, however large a
// frame says that it is. A library that waits for whole messages would have to keep, or refuse, what MQTT merely passes over.

export interface FrameReader {
  /** What stands in data frames, in order. */
  onData(piece: Buffer): void;
  onPing(payload: Buffer): void;
  /** The client closes. */
  onClose(): void;
  /** Nothing more can be read; `code` says why in the frame that closes. */
  onFault(code: number): void;
}

export const closeCodes = { normal: 1000, protocolError: 1002, unsupportedData: 1003, tooLarge: 1009 } as const;

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const isControl = (opcode: number): boolean => opcode >= opcodes.close;
const controlBytesMax = 125;
const maskBytes = 4;

interface Frame {
  opcode: number;
  isLast: boolean;
  left: number;
  mask: Buffer;
  /** how much of the payload came before: where the mask goes on */
  read: number;
  /** of a control frame, which is handed on whole */
  payload: Buffer[];
}

/** Takes what arrived. Changes its bytes: they are unmasked in place. */
export function openFrames(reader: FrameReader): (chunk: Buffer) => void {
  let header: Buffer = Buffer.alloc(0);
  let frame: Frame | undefined;
  /** the last data frame was not the end of its message */
  let isContinued = false;
  let ended = false;

  function begin(read: Frame | number): Frame | undefined {
    const fault = typeof read === "number" ? read : findFault(read, isContinued);
    if (fault !== undefined || typeof read === "number") {
      ended = true;
      reader.onFault(fault ?? closeCodes.protocolError);
      return undefined;
    }
    if (!isControl(read.opcode)) isContinued = !read.isLast;
    return read;
  }

  function take(current: Frame, piece: Buffer): void {
    unmask(piece, current.mask, current.read);
    current.read += piece.length;
    current.left -= piece.length;
    if (isControl(current.opcode)) current.payload.push(Buffer.from(piece));
    else if (piece.length > 0) reader.onData(piece);
  }

  function finish({ opcode, payload }: Frame): void {
    if (opcode === opcodes.ping) reader.onPing(Buffer.concat(payload));
    if (opcode !== opcodes.close) return;
    ended = true;
    reader.onClose();
  }

  return (chunk) => {
    let at = 0;
    while (!ended) {
      if (frame === undefined) {
        const known = Buffer.concat([header, chunk.subarray(at, at + headerBytesMax - header.length)]);
        const read = readHeader(known);
        if (read === undefined) {
          header = known;
          return;
        }
        at += read.bytes - header.length;
        header = Buffer.alloc(0);
        frame = begin(read.frame);
        if (frame === undefined) return;
      }
      const piece = chunk.subarray(at, at + frame.left);
      at += piece.length;
      take(frame, piece);
      if (frame.left > 0) return;
      finish(frame);
      frame = undefined;
    }
  };
}

const headerBytesMax = 14;

/** undefined: it goes on. A number: the code of what is wrong. */
function readHeader(bytes: Buffer): { frame: Frame | number; bytes: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first, second] = [bytes[0]!, bytes[1]!];
  // No extension was agreed on, and what a client sends is masked.
  if (first & 0x70 || !(second & 0x80)) return { frame: closeCodes.protocolError, bytes: 2 };
  const short = second & 0x7f;
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  const size = 2 + lengthBytes + maskBytes;
  if (bytes.length < size) return undefined;
  const long = lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(lengthBytes === 8 ? bytes.readBigUInt64BE(2) : 0);
  const left = lengthBytes === 0 ? short : long;
  if (left > Number.MAX_SAFE_INTEGER) return { frame: closeCodes.tooLarge, bytes: size };
  const mask = Buffer.from(bytes.subarray(size - maskBytes, size));
  return { frame: { opcode: first & 0x0f, isLast: first >= 0x80, left, mask, read: 0, payload: [] }, bytes: size };
}

function findFault({ opcode, isLast, left }: Frame, isContinued: boolean): number | undefined {
  if (opcode === opcodes.text) return closeCodes.unsupportedData;
  if (opcode === opcodes.binary) return isContinued ? closeCodes.protocolError : undefined;
  if (opcode === opcodes.continuation) return isContinued ? undefined : closeCodes.protocolError;
  const isKnown = opcode >= opcodes.close && opcode <= opcodes.pong;
  return isKnown && isLast && left <= controlBytesMax ? undefined : closeCodes.protocolError;
}

function unmask(bytes: Buffer, mask: Buffer, from: number): void {
  for (let index = 0; index < bytes.length; index++) bytes[index]! ^= mask[(from + index) & 3]!;
}

/** The header of a frame of the server's, which is whole and not masked. */
export function frameHeader(opcode: "binary" | "close" | "pong", bytes: number): Buffer {
  const first = 0x80 | opcodes[opcode];
  if (bytes < 126) return Buffer.from([first, bytes]);
  if (bytes < 65_536) return Buffer.from([first, 126, bytes >> 8, bytes & 0xff]);
  const header = Buffer.from([first, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeBigUInt64BE(BigInt(bytes), 2);
  return header;
}
