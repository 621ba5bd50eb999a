// Messages: the one verb whose packets are stored; its steps are in path.ts.
import type { DecodeMessage, SentMessage } from "../admit/decode-message.ts";
import { type Path, storeMessage, type Uplink } from "../path.ts";

export function messageUplink(path: Path, decodeMessage: DecodeMessage): Uplink<SentMessage> {
  return {
    isStored: true,
    decode: ({ payload }, from) => decodeMessage(payload, from),
    refuse: path.acknowledge.nack,
    work: (message, from, arrived) => storeMessage(path, message, from, arrived),
  };
}
