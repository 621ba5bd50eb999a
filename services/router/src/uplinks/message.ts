// Messages: the one verb whose packets are stored; its steps are in path.ts.
import { createDecodeMessage, type SentMessage } from "../admit/decode-message.ts";
import { type Path, storeMessage, type Uplink } from "../path.ts";

export function messageUplink(path: Path, packetBytes: number): Uplink<SentMessage> {
  const decodeMessage = createDecodeMessage(packetBytes);
  return {
    isStored: true,
    decode: ({ payload }, from) => decodeMessage(payload, from),
    refuse: path.acknowledge.nack,
    work: (message, from, arrived) => storeMessage(path, message, from, arrived),
  };
}
