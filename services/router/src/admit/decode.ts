// Step 1: bytes and topic → a message that may be stored, or the refusal.
import { randomUUID } from "node:crypto";
import {
  AppError,
  checkMessage,
  convOf,
  type DecodeLimits,
  decodeObject,
  type JsonObject,
  limits,
  parseAddress,
  refuseContent,
  storableBody,
  type UplinkTopic,
  uplinkTopic,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";

/** A message as far as its sender decides it. */
export interface Uplink {
  id: string;
  conv: string;
  /** content.type */
  type: string;
  prev: string | undefined;
  /** as it will be stored */
  body: Uint8Array;
}

export type Decode = (packet: { payload: Uint8Array }, topic: UplinkTopic) => Uplink | AppError;

/** Packets up to `packetBytes`. An error's `details.id` is the packet's id, where it could be read. */
export function createDecode(packetBytes: number): Decode {
  const limit: DecodeLimits = { bytes: packetBytes, depth: limits.packetDepth, nodes: limits.packetNodes };
  return ({ payload }, topic) => {
    const parsed = decodeObject(payload, limit);
    if (parsed instanceof AppError) return parsed;
    const message = checkMessage(parsed);
    if (message instanceof AppError) return withId(message, parsed);
    const error = misplaced(topic) ?? refuseContent(message);
    if (error) return withId(error, parsed);
    const address = parseAddress(message.to);
    if (!address)
      return withId(
        new AppError("invalid_packet", "to is not user/{uid}, user/{uid}/client/{clientId} or room/{id}"),
        parsed,
      );
    const id = message.id ?? randomUUID();
    return {
      id,
      conv: convOf(topic.uid, address),
      type: message.content.type,
      prev: message.prev,
      body: storableBody(payload, parsed, id),
    };
  };
}

/** The topic's partition is not the client id's: the refusal names the right topic. */
export function misplaced(topic: UplinkTopic): AppError | undefined {
  const p = ingestPartition(topic.clientId);
  if (p === topic.p) return undefined;
  const right = uplinkTopic({ ...topic, p });
  return new AppError("wrong_partition", `publish to ${right}`, { details: { topic: right } });
}

function withId(error: AppError, { id }: JsonObject): AppError {
  if (typeof id !== "string") return error;
  return new AppError(error.code, error.message, { details: { ...error.details, id: id.slice(0, 64) } });
}
