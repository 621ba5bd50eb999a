// A PUBLISH larger than its device takes (Maximum Packet Size): the device is told what it misses.
import { readJsonHead, type TooLargeNotice } from "@parley/protocol";
import { confirmation } from "../packets/packets.ts";
import { readVarint, writeVarint } from "../packets/properties.ts";

const noProperties = Buffer.from([0]);

export interface Replaced {
  /** the same PUBLISH with a payload that says so */
  forDevice: Buffer | undefined;
  /** where not even that fits: its answer in the device's place [MQTT-3.1.2-25] */
  forBroker: Buffer | undefined;
}

/** `packet` is MQTT 5 (3.1.1 has no such limit), its variable header begins at `body`. */
export function replaceLarge(packet: Buffer, body: number, maxBytes: number): Replaced {
  const qos = (packet[0]! >> 1) & 3;
  const topicEnd = body + 2 + packet.readUInt16BE(body);
  const propertiesAt = topicEnd + (qos > 0 ? 2 : 0);
  const length = readVarint(packet, propertiesAt, packet.length);
  const payloadAt = length === undefined ? packet.length : length.next + length.value;
  const own = packet.subarray(propertiesAt, payloadAt);
  // Correlation Data says which request it is; a long one may be what does not fit.
  for (const words of describe(packet.subarray(payloadAt), packet.length, maxBytes))
    for (const properties of [own, noProperties]) {
      const parts = [packet.subarray(body, propertiesAt), properties, Buffer.from(JSON.stringify(words))];
      const size = parts.reduce((sum, part) => sum + part.length, 0);
      const forDevice = Buffer.concat([packet.subarray(0, 1), writeVarint(size), ...parts]);
      if (forDevice.length <= maxBytes) return { forDevice, forBroker: undefined };
    }
  const packetId = qos > 0 ? packet.readUInt16BE(topicEnd) : 0;
  if (qos === 0) return { forDevice: undefined, forBroker: undefined };
  // The PUBREL that follows a PUBREC the device answers itself: it has no such packet id.
  return { forDevice: undefined, forBroker: confirmation(qos === 1 ? "puback" : "pubrec", packetId) };
}

/**
 * A message is named, so that it can be asked for in another way; an answer to a request becomes its error. The longest
 * words first: a device may take no more than a hundred bytes.
 */
function describe(payload: Buffer, bytes: number, maxBytes: number): object[] {
  const fields = readJsonHead(payload);
  const named = ["conv", "seq"].filter((name) => fields.has(name)).map((name) => [name, fields.get(name)]);
  if (named.length > 0 || fields.has("type"))
    return [{ type: "too_large", ...Object.fromEntries(named), bytes } satisfies TooLargeNotice];
  const id = fields.get("id");
  const message = `the answer has ${bytes} bytes and this device takes ${maxBytes}: ask with maxBytes`;
  const asked = id === undefined ? {} : { id };
  return [
    { ...asked, error: { code: "too_large", message, details: { bytes, maxBytes } } },
    { ...asked, error: { code: "too_large", message: `over ${maxBytes} bytes` } },
  ];
}
