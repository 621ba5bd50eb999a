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
  if (parsed instanceof AppError) return { name: nameOfUnread(payload), error: parsed };
  const name = nameOf(parsed);
  const packet = check(parsed);
  return packet instanceof AppError ? { name, error: packet } : { name, packet };
}

/** A packet that cannot be read as a whole was given a name by its sender all the same, who sends it again until it is told. */
export function nameOfUnread(payload: Uint8Array): PacketName {
  return nameOf({ id: readJsonHead(payload).get("id") });
}

/** Too long to be one it is cut: it is only said to its sender. Half a character names nothing. */
export function nameOf({ id }: JsonObject): PacketName {
  if (typeof id === "string") return id.isWellFormed() ? cut(id) : null;
  return typeof id === "number" ? id : null;
}

/** To 64 code units, or 63 where a character would be halved. */
function cut(id: string): string {
  const begin = id.slice(0, 64);
  return begin.isWellFormed() ? begin : begin.slice(0, -1);
}

/** The topic's partition is not the client id's: the refusal names the right topic. */
export function misplaced(from: UplinkTopic): AppError | undefined {
  const p = ingestPartition(from.clientId);
  if (p === from.p) return undefined;
  const right = uplinkTopic({ ...from, p });
  return new AppError("wrong_partition", `publish to ${right}`, { details: { topic: right } });
}
