// A publish that is refused: the edge ends its exchange, so that no client sends it for ever, and tells its device why.
import { AppError, deviceTopic, isNativeTopic, parseUplinkTopic, readJsonHead, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { openTokenBucket } from "@parley/runtime";
import type { Asker } from "../hooks/questions.ts";
import { confirmation, publishAnswer, type Version, writePacket } from "../packets/packets.ts";
import type { Reason } from "../packets/reasons.ts";

export interface RefusedPublish {
  qos: number;
  packetId: number;
  /** empty where it could not be read */
  topic: string;
  payload: Buffer;
  /** false: `payload` is only the beginning of it */
  isWhole: boolean;
}

export interface Refusals {
  /** What the device is sent: PUBACK or PUBREC, and `error` as a packet on its own topic. */
  refuse(publish: RefusedPublish, reason: Reason, error: AppError): Buffer;
  /** PUBCOMP for a PUBREL that belongs to a refused publish; undefined when it is the broker's. */
  release(packetId: number): Buffer | undefined;
}

export interface RefusedDevice extends Asker {
  version: Version;
  /** MQTT 5: it wants to be told in words what was wrong (Request Problem Information) */
  wantsWords: boolean;
  /** the largest packet it takes */
  maxPacketBytes: number;
  /** It has a tree of its own: on topics of other protocols it is told nothing in Parley's words, but its router is. */
  hasTree: boolean;
  tellRouter?: ((publish: RefusedPublish, error: AppError) => void) | undefined;
}

/** Who floods is not answered each time; every publish still has its PUBACK. */
const nacks = { rate: 1, burst: 20 };
/** Refused QoS 2 exchanges of MQTT 3.1.1 that wait for PUBREL. Of more the oldest is forgotten: the broker answers its PUBREL. */
const openExchangesMax = 100;

export function openRefusals(device: RefusedDevice): Refusals {
  const mayNack = openTokenBucket(nacks);
  const exchanges = new Set<number>();

  function keepExchange(packetId: number): void {
    exchanges.delete(packetId);
    exchanges.add(packetId);
    if (exchanges.size <= openExchangesMax) return;
    for (const oldest of exchanges) {
      exchanges.delete(oldest);
      return;
    }
  }

  function answer({ qos, packetId }: RefusedPublish, reason: Reason, words: string): Buffer[] {
    if (qos === 0) return [];
    if (qos === 2 && device.version === 4) keepExchange(packetId);
    const short = publishAnswer(device.version, qos, packetId, reason);
    if (!device.wantsWords) return [short];
    const long = publishAnswer(device.version, qos, packetId, reason, words);
    return [long.length > device.maxPacketBytes ? short : long];
  }

  function tell(publish: RefusedPublish, error: AppError): Buffer[] {
    const { clientId, username, version, maxPacketBytes, hasTree } = device;
    if (username === null || mayNack.take() > 0) return [];
    if (hasTree && !isNativeTopic(publish.topic)) {
      device.tellRouter?.(publish, error);
      return [];
    }
    const packet = {
      cmd: "publish" as const,
      topic: deviceTopic(username, clientId),
      payload: JSON.stringify(describe(publish, error)),
      qos: 0 as const,
      dup: false,
      retain: false,
    };
    const bytes = writePacket(packet, version);
    return bytes.length > maxPacketBytes ? [] : [bytes];
  }

  return {
    refuse: (publish, reason, error) =>
      Buffer.concat([...answer(publish, reason, error.message), ...tell(publish, error)]),
    release: (packetId) => (exchanges.delete(packetId) ? confirmation("pubcomp", packetId) : undefined),
  };
}

/** A refused request is answered as a request, everything else gets a nack. */
function describe({ topic, payload, isWhole }: RefusedPublish, error: AppError): object {
  const id = readId(payload, isWhole);
  if (parseUplinkTopic(topic)?.verb === "rpc") return { ...(id === null ? {} : { id }), error: error.toWire() };
  return { type: "nack", id, ...error.toWire() };
}

function readId(payload: Buffer, isWhole: boolean): string | number | null {
  const id = isWhole ? readWhole(payload) : readJsonHead(payload).get("id");
  if (typeof id === "number" && Number.isInteger(id)) return id;
  return typeof id === "string" && id.length > 0 && id.length <= 64 && id.isWellFormed() ? id : null;
}

function readWhole(payload: Buffer): unknown {
  try {
    return (JSON.parse(payload.toString()) as { id?: unknown } | null)?.id;
  } catch {
    return readJsonHead(payload).get("id");
  }
}

/** The refusal of a topic that is not the device's own; `details.topic` is where it may publish. */
export function notYours({ clientId, username }: Pick<Asker, "clientId" | "username">, topic: string): AppError {
  const verb = parseUplinkTopic(topic)?.verb ?? "msg";
  const right = uplinkTopic({ p: ingestPartition(clientId), uid: username ?? "", clientId, verb });
  return new AppError("forbidden", `this device may not publish here; publish to ${right}`, {
    details: { topic: right },
  });
}
