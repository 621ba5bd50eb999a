// The way of one message (DESIGN §3): the un-confirmed QoS 1 packet is the work item, its PUBACK is the commit.
import { AppError, type Appended, type AppendItem, type UplinkTopic } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import type { Logger, Pass, ReceivedPacket } from "@parley/runtime";
import type { Admit } from "./admit/admit.ts";
import type { Decode, Uplink } from "./admit/decode.ts";
import type { Append } from "./append/append.ts";
import type { Acknowledge } from "./deliver/acknowledge.ts";
import type { Deliver, StoredMessage } from "./deliver/deliver.ts";
import type { PublishMany } from "./deliver/publish.ts";
import type { ReadStored } from "./deliver/read-stored.ts";

/** The steps of one ingest partition, each with its I/O inside. */
export interface Path {
  decode: Decode;
  admit: Admit;
  append: Append;
  deliver: Deliver;
  readStored: ReadStored;
  /** on the partition's own session */
  publishMany: PublishMany;
  acknowledge: Acknowledge;
  /** where a test may end the process */
  pass: Pass;
  /** the packet stopped the service before, or could not be stored by itself: kept aside for people to look at */
  deadLetter(packet: ReceivedPacket, error: AppError): Promise<void>;
  log: Logger;
}

/**
 * Takes one packet through. `confirm` is called once, when nothing is left to do for it: a crash before makes the broker
 * hand the packet to the next router, and every step may be done again. Rejects when the session ended underneath.
 */
export async function takeMessage(
  path: Path,
  packet: ReceivedPacket,
  topic: UplinkTopic,
  confirm: () => void,
): Promise<void> {
  const uplink = path.decode(packet, topic); //            1 invalid_packet · too_large · wrong_partition · forbidden
  if (uplink instanceof AppError) return refuse(path, topic, idOf(uplink), uplink, confirm);

  const early = packet.dup ? undefined : path.admit(topic); // 2 rate_limited (a DUP: after 3, if it is new)
  if (early) return refuse(path, topic, uplink.id, early, confirm);

  path.pass("before-append");
  const outcome = await path.append(itemOf(uplink, topic)); // 3 not_member · not_found · out_of_order · unavailable · internal
  if (outcome instanceof AppError) {
    if (outcome.code === "internal") await path.deadLetter(packet, outcome);
    return refuse(path, topic, uplink.id, outcome, confirm);
  }
  if (packet.dup && !outcome.duplicate) path.admit(topic); // it counts, and is not refused any more
  path.pass("before-deliver");
  await finish(path, uplink, topic, outcome);
  path.pass("before-puback");
  confirm(); //                                              6 PUBACK: only now is the packet finished
}

// Stored: the promise is given beside the delivery, and neither waits for the other. Both are with the broker before 6.
async function finish(path: Path, uplink: Uplink, topic: UplinkTopic, outcome: Appended): Promise<void> {
  const { seq, ts } = outcome;
  await Promise.all([
    deliver(path, uplink, topic, outcome), //                                           4 QoS 1 to every member
    path.acknowledge.ack(topic, { id: uplink.id, conv: uplink.conv, seq, ts }), //      5 QoS 1 to the sending device
  ]);
}

// A duplicate goes out as it is stored: the router that stored it may have died before it delivered.
async function deliver(path: Path, { conv, body }: Uplink, topic: UplinkTopic, outcome: Appended): Promise<void> {
  const { seq, ts, memberSeq, stored, storedAt } = outcome;
  const fields = { conv, seq, from: topic.uid, device: topic.clientId, ts };
  if (storedAt === undefined) return path.deliver({ fields, memberSeq, body: stored ?? body }, path.publishMany);
  const kept = await keptMessage(path, conv, storedAt);
  if (kept) await path.deliver(kept, path.publishMany);
}

// Of a duplicate that had no room in history's reply. It was delivered once, or its members have it by sync.
async function keptMessage({ readStored, log }: Path, conv: string, pos: number): Promise<StoredMessage | undefined> {
  try {
    return await readStored(conversationPartition(conv), pos);
  } catch (error) {
    log.warn({ event: "duplicate_not_delivered", conv, pos, reason: String(error) });
    return undefined;
  }
}

async function refuse(
  { acknowledge }: Path,
  topic: UplinkTopic,
  id: string | null,
  error: AppError,
  confirm: () => void,
): Promise<void> {
  await acknowledge.nack(topic, id, error);
  confirm();
}

function itemOf({ conv, id, type, prev, body }: Uplink, { uid, clientId, p }: UplinkTopic): AppendItem & { p: string } {
  return { p, conv, from: uid, device: clientId, id, type, body, ...(prev === undefined ? {} : { prev }) };
}

function idOf({ details }: AppError): string | null {
  return typeof details?.id === "string" ? details.id : null;
}
