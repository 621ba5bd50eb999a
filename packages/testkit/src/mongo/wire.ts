// MongoDB's wire protocol, as far as a proxy needs it: OP_MSG, and the OP_QUERY that opens a connection.
import { BSON } from "mongodb";

export type Command = BSON.Document & { documents?: BSON.Document[] };

/** `command`: of a reply, what was answered; undefined where it cannot be read. */
export type Message = { bytes: Buffer; id: number; to: number; command: Command | undefined };

const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;
const headerBytes = 16;

/** Cuts a stream into messages. */
export function messages(take: (message: Message) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= headerBytes && rest.length >= rest.readInt32LE(0)) {
      const bytes = rest.subarray(0, rest.readInt32LE(0));
      rest = rest.subarray(bytes.length);
      take({ bytes, id: bytes.readInt32LE(4), to: bytes.readInt32LE(8), command: readCommand(bytes) });
    }
  };
}

/** The answer to a message, of the kind that it asks for. */
export function replyTo(asked: Message, document: BSON.Document): Buffer {
  const body = BSON.serialize(document);
  if (asked.bytes.readInt32LE(12) !== opQuery) return message(opMsg, 0, asked.id, [Buffer.of(0, 0, 0, 0, 0), body]);
  // responseFlags cursorID startingFrom numberReturned
  const fields = Buffer.alloc(20);
  fields.writeInt32LE(1, 16);
  return message(opReply, 0, asked.id, [fields, body]);
}

/** The same request with another command. */
export function withCommand({ id }: Message, command: BSON.Document): Buffer {
  return message(opMsg, id, 0, [Buffer.of(0, 0, 0, 0, 0), BSON.serialize(command)]);
}

// messageLength requestID responseTo opCode
function message(opCode: number, id: number, to: number, parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeInt32LE(id, 4);
  header.writeInt32LE(to, 8);
  header.writeInt32LE(opCode, 12);
  const whole = Buffer.concat([header, ...parts]);
  whole.writeInt32LE(whole.length, 0);
  return whole;
}

function readCommand(bytes: Buffer): Command | undefined {
  const opCode = bytes.readInt32LE(12);
  // OP_MSG: flagBits, then a section of kind 0. OP_QUERY: flags, collection name, numberToSkip, numberToReturn.
  if (opCode === opMsg && bytes[20] === 0) return readDocument(bytes.subarray(21));
  if (opCode === opQuery) return readDocument(bytes.subarray(bytes.indexOf(0, 20) + 9));
  if (opCode === opReply) return readDocument(bytes.subarray(36));
  return undefined;
}

function readDocument(bytes: Buffer): Command {
  // With their own types: what is passed on is what came.
  return BSON.deserialize(bytes.subarray(0, bytes.readInt32LE(0)), { promoteValues: false });
}
