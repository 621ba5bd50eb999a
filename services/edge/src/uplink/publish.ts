// Decides PUBLISH: allowed it passes as it came; refused the broker never sees it.
import { isUtf8 } from "node:buffer";
import type { Decisions, PublishVerdict } from "../hooks/decisions.ts";
import type { Asker } from "../hooks/questions.ts";
import type { Framing } from "../packets/framing.ts";
import { asItCame, dropped, type Outcome } from "../packets/outcome.ts";
import { publishRefusal, readPacket, type Version, writePacket } from "../packets/packets.ts";
import { findTopicAlias } from "../packets/properties.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import { isTopicName } from "../packets/topic.ts";

export function decidePublish(
  frame: Framing,
  version: Version,
  asker: Asker,
  decisions: Decisions,
): Outcome | Promise<Outcome> {
  const { bytes, start, body } = frame;
  const header = readHeader(frame, version);
  if ("code" in header) return { close: header };
  if (bytes[start]! & retainFlag) {
    if (version === 5) return { close: reasons.retainRefused };
    bytes[start] = bytes[start]! & ~retainFlag;
  }
  // Kept verdicts are found by the topic's bytes, one character each: cheaper than UTF-8, and as exact.
  const spelling = bytes.toString("latin1", body + 2, header.topicEnd);
  const known = decisions.knownPublish(asker, spelling);
  if (known !== undefined)
    return known.allowed && known.topic === undefined ? asItCame : conclude(known, frame.packet(), header);
  if (!isUtf8(bytes.subarray(body + 2, header.topicEnd))) return { close: reasons.malformed };
  if (!isTopicName(spelling)) return { close: reasons.topicInvalid };
  return ask(frame.packet(), header, asker, decisions);
}

const retainFlag = 1;
const dupFlag = 8;

interface Header {
  version: Version;
  qos: number;
  packetId: number;
  topicEnd: number;
}

/** What stands before the payload [MQTT-3.3.2], or what is wrong with it. */
function readHeader({ bytes, start, body, end }: Framing, version: Version): Header | Reason {
  const first = bytes[start]!;
  const qos = (first >> 1) & 3;
  if (qos === 3 || (qos === 0 && first & dupFlag) || body + 2 > end) return reasons.malformed;
  const topicEnd = body + 2 + bytes.readUInt16BE(body);
  const propertiesAt = topicEnd + (qos > 0 ? 2 : 0);
  if (propertiesAt + (version === 5 ? 1 : 0) > end) return reasons.malformed;
  const packetId = qos > 0 ? bytes.readUInt16BE(topicEnd) : 0;
  if (qos > 0 && packetId === 0) return reasons.protocolError;
  const alias = version === 5 ? findTopicAlias(bytes, propertiesAt, end) : "none";
  if (alias !== "none") return alias === "present" ? reasons.topicAliasInvalid : reasons.malformed;
  return { version, qos, packetId, topicEnd };
}

async function ask(packet: Buffer, header: Header, asker: Asker, decisions: Decisions): Promise<Outcome> {
  const publish = readPacket(packet, "publish", header.version);
  if (publish === undefined) return { close: reasons.malformed };
  const publication = { ...publish, payload: Buffer.from(publish.payload) };
  return conclude(await decisions.askPublish(asker, publication, header.version), packet, header);
}

function conclude(verdict: PublishVerdict, packet: Buffer, { version, qos, packetId }: Header): Outcome {
  if (verdict.allowed) return verdict.topic === undefined ? asItCame : readdress(packet, verdict.topic, version);
  if (qos === 0) return dropped;
  // MQTT 3.1.1 has no word for a refused publish: like VerneMQ, the edge closes.
  if (version === 4) return { close: reasons.notAuthorized };
  return { reply: publishRefusal(qos, packetId, reasons.notAuthorized) };
}

function readdress(packet: Buffer, topic: string, version: Version): Outcome {
  const publish = readPacket(packet, "publish", version);
  return publish === undefined
    ? { close: reasons.malformed }
    : { forward: writePacket({ ...publish, topic }, version) };
}
