// Channel Cmd ACK, from the server: what became of what a device sent.
import type { AppError, ErrorCode } from "../../errors.ts";
import type { Published, Said } from "../dialect.ts";
import { type Field, writeFields } from "./fields.ts";

export const ackTopic = "ass/ack";

/** `Result`: accepted; else one of these, whose numbers are reason codes of MQTT 5. */
const accepted = "0";
const refused = "0x83";
const results: Readonly<Partial<Record<ErrorCode, string>>> = {
  forbidden: "0x87",
  not_member: "0x87",
  blocked: "0x87",
  unauthenticated: "0x87",
  rate_limited: "0x97",
};

/** What of a packet its answer needs. */
type Answered = Pick<Published, "properties">;

/** Of a packet that is not known, or was not of ASSChat. */
export const unknownPacket: Answered = { properties: {} };

/** `more`: beside the result. */
export function writeAck(packet: Answered, more: Parameters<typeof writeFields>[0]): Said {
  return ackOf(packet, "accepted", [["Result", accepted], ...writeFields(more)]);
}

export function writeRefusal(packet: Answered, error: AppError, more: Parameters<typeof writeFields>[0]): Said {
  const { code, message } = error;
  const fields = writeFields([["Result", results[code] ?? refused], ["Reason", message], ...more]);
  return ackOf(packet, message, fields);
}

// To where the packet asks to be answered, if that is a topic of ASSChat.
function ackOf({ properties }: Answered, payload: string, userProperties: Field[]): Said {
  const { responseTopic = "", correlationData } = properties;
  const topic = /^ass\/[^+#\p{Cc}]+$/u.test(responseTopic) ? responseTopic : ackTopic;
  return { topic, payload, properties: { userProperties, ...(correlationData && { correlationData }) } };
}
