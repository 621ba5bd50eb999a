// Files over the WebSocket of chat: `ftp` begins a file (`init`) and sends its blocks (`send`), each answered by `ftpack`.
import type { FileSocket } from "../dialect.ts";
import { decodeTerm } from "./bert/decode.ts";
import { encodeTerm } from "./bert/encode.ts";
import { BertError } from "./bert/term.ts";
import type { RecordOf } from "./records/record.ts";
import { ftp, ftpAck } from "./records/sessions.ts";

type Ftp = RecordOf<typeof ftp>;

const nothing = new Uint8Array(0);

export const files: FileSocket = {
  path: "/ws",
  read(bytes) {
    const record = readFtp(bytes);
    if (!record) return undefined;
    const { id = "", sid: token = "", filename = "", size = 0, offset = 0, status, data = nothing } = record;
    const isSane = id !== "" && Number.isSafeInteger(size) && size >= 0 && id.length <= 128;
    if (!isSane) return undefined;
    const packet = { id, token, name: filename.slice(0, 255) || "file", size, offset, asked: record };
    return status === "send" ? { ...packet, data } : packet;
  },
  write({ asked, size }, answer) {
    const { tup: _, ...record } = asked as Ftp;
    const ended = { ...record, offset: size, block: 0, sid: "", data: nothing };
    if ("refused" in answer) return ack({ ...ended, offset: record.offset, status: `error ${answer.refused}` });
    if ("url" in answer) return ack({ ...ended, filename: answer.url });
    // Who asks for a block of nothing only asks how far it is.
    const block = record.block === 0 ? 0 : record.status === "send" ? (record.block ?? 0) : answer.blockBytes;
    return ack({ ...record, offset: answer.offset, block, data: nothing });
  },
};

function ack(record: Omit<Ftp, "tup">): Uint8Array {
  // An absent text is an empty binary here, which some programs take the length of.
  return encodeTerm(ftpAck.write({ tup: "ftpack", ...record }, "v1"));
}

function readFtp(bytes: Uint8Array): Ftp | undefined {
  try {
    return ftp.read(decodeTerm(bytes), "v1");
  } catch (error) {
    if (error instanceof BertError) return undefined;
    throw error;
  }
}
