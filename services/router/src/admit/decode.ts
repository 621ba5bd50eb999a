// Step 2: bytes → the packet of a verb, or the refusal; and whether it came to the right partition.
import {
  AppError,
  type Check,
  type DecodeLimits,
  decodeObject,
  type JsonObject,
  readJsonHead,
  type UplinkTopic,
  uplinkTopic,
} from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { TSchema } from "typebox";
import type { PacketName } from "../deliver/acknowledge.ts";

/** `name` is the packet's id, as far as it could be read. */
export type Decoded<Packet> = { name: PacketName; packet: Packet } | { name: PacketName; error: AppError };

/** JSON of the verb's own schema. */
export function decodePacket<Schema extends TSchema>(payload: Uint8Array, check: Check<Schema>, limit?: DecodeLimits) {
  const parsed = decodeObject(payload, limit);
  if (parsed instanceof AppError) return { name: nameOfUnread(payload, parsed), error: parsed };
  const name = nameOf(parsed);
  const packet = check(parsed);
  return packet instanceof AppError ? { name, error: packet } : { name, packet };
}

/** A packet that is too large is not parsed, but its sender shall know which one it was. */
export function nameOfUnread(payload: Uint8Array, { code }: AppError): PacketName {
  return code === "too_large" ? nameOf({ id: readJsonHead(payload).get("id") }) : null;
}

/** Too long to be one it is cut: it is only said to its sender. */
export function nameOf({ id }: JsonObject): PacketName {
  if (typeof id === "string") return id.slice(0, 64);
  return typeof id === "number" ? id : null;
}

/** The topic's partition is not the client id's: the refusal names the right topic. */
export function misplaced(from: UplinkTopic): AppError | undefined {
  const p = ingestPartition(from.clientId);
  if (p === from.p) return undefined;
  const right = uplinkTopic({ ...from, p });
  return new AppError("wrong_partition", `publish to ${right}`, { details: { topic: right } });
}
