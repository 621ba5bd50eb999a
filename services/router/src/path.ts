// The way of one packet. Of a message the un-confirmed QoS 1 packet is the work item, its PUBACK is the commit.
import { AppError, type Appended, type AppendItem, type UplinkTopic } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import type { Logger, Pass, ReceivedPacket } from "@parley/runtime";
import type { Admit } from "./admit/admit.ts";
import { type Decoded, misplaced } from "./admit/decode.ts";
import type { SentMessage } from "./admit/decode-message.ts";
import type { Append } from "./append/append.ts";
import type { Acknowledge, PacketName } from "./deliver/acknowledge.ts";
import type { Deliver, StoredMessage } from "./deliver/deliver.ts";
import type { ReadStored } from "./deliver/read-stored.ts";
import type { SendKept } from "./deliver/send.ts";

/** What is done with the packets of one verb: one definition each, in uplinks/. */
export interface Uplink<Packet> {
  /** What is stored is confirmed when all is done; everything else on arrival, and its sender is told what became of it. */
  isStored: boolean;
  decode(packet: ReceivedPacket, from: UplinkTopic): Decoded<Packet>;
  /** Its own steps. The refusal is told to the device. Rejects only when the session ended underneath. */
  work(packet: Packet, from: UplinkTopic, arrived: ReceivedPacket): Promise<AppError | undefined>;
  refuse(from: UplinkTopic, name: PacketName, error: AppError, arrived: ReceivedPacket): Promise<unknown>;
}

/**
 * Takes one packet through. `confirm` is called once: for what is stored when nothing is left to do for it, so that a
 * crash before makes the broker hand the packet to the next router, and every step may be done again.
 */
export async function takePacket<Packet>(
  uplink: Uplink<Packet>,
  admit: Admit,
  arrived: ReceivedPacket,
  from: UplinkTopic,
  confirm: () => void,
): Promise<void> {
  if (!uplink.isStored) confirm();
  await passOn(uplink, admit, arrived, from);
  if (uplink.isStored) confirm(); //                                          6 PUBACK: only now is the packet finished
}

async function passOn<Packet>(
  uplink: Uplink<Packet>,
  admit: Admit,
  arrived: ReceivedPacket,
  from: UplinkTopic,
): Promise<void> {
  const again = uplink.isStored && arrived.dup;
  const early = again ? undefined : admit.packet(from); //                    1 rate_limited (a DUP: after 3, if it is new)
  if (early && !admit.mayTell(from)) return;

  const decoded = uplink.decode(arrived, from); //                            2 invalid_packet · too_large · forbidden
  const refused = "error" in decoded ? decoded.error : misplaced(from); //      wrong_partition
  if (early && decoded.name === null && !admit.mayTellNameless(from)) return;
  if (early || refused) {
    await uplink.refuse(from, decoded.name, (early ?? refused) as AppError, arrived);
    return;
  }

  const { name, packet } = decoded as { name: PacketName; packet: Packet };
  const error = await uplink.work(packet, from, arrived);
  if (error) await uplink.refuse(from, name, error, arrived);
}

/** The steps of a message in one ingest partition, each with its I/O inside. */
export interface Path {
  admit: Admit;
  append: Append;
  deliver: Deliver;
  readStored: ReadStored;
  /** on the partition's own session */
  send: SendKept;
  acknowledge: Acknowledge;
  /** where a test may end the process */
  pass: Pass;
  /** the packet stopped the service before, or could not be stored by itself: kept aside for people to look at */
  deadLetter(packet: ReceivedPacket, error: AppError): Promise<void>;
  log: Logger;
}

/** Answers the refusal, if history refuses it. `ack`: how its sender is told. */
export async function storeMessage(
  path: Path,
  message: SentMessage,
  from: UplinkTopic,
  arrived: ReceivedPacket,
  ack: Acknowledge["ack"] = path.acknowledge.ack,
): Promise<AppError | undefined> {
  path.pass("before-append");
  const outcome = await path.append(itemOf(message, from)); //                3 not_member · not_found · out_of_order · unavailable · internal
  if (outcome instanceof AppError) {
    if (outcome.code === "internal") await path.deadLetter(arrived, outcome);
    return outcome;
  }
  if (arrived.dup && !outcome.duplicate) path.admit.packet(from); //            it counts, and is not refused any more
  path.pass("before-deliver");
  const { seq, ts } = outcome;
  await Promise.all([
    deliver(path, message, from, outcome), //                                 4 QoS 1 to every member
    ack(from, { id: message.id, conv: message.conv, seq, ts }), // 5 QoS 1 to the sending device: the promise
  ]);
  path.pass("before-puback");
  return undefined;
}

// A duplicate goes out as it is stored: the router that stored it may have died before it delivered.
function deliver(path: Path, { conv, body, parsed }: SentMessage, from: UplinkTopic, outcome: Appended): Promise<void> {
  const { seq, ts, memberSeq, expiresAt, stored, storedAt } = outcome;
  if (storedAt !== undefined) return deliverKept(path, conv, storedAt);
  const fields = { conv, seq, from: from.uid, device: from.clientId, ts, expiresAt };
  const sent = stored ? { body: stored } : { body, parsed };
  return path.deliver({ fields, memberSeq, ...sent }, path.send);
}

async function deliverKept(path: Path, conv: string, pos: number): Promise<void> {
  const kept = await keptMessage(path, conv, pos);
  if (kept) await path.deliver(kept, path.send);
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

function itemOf(
  { conv, id, type, prev, mentions, thread, reply, file, expires, body }: SentMessage,
  { uid, clientId, p }: UplinkTopic,
): AppendItem & { p: string } {
  const item = { p, conv, from: uid, device: clientId, id, type, body };
  return {
    ...item,
    ...(prev && { prev }),
    ...(mentions && { mentions }),
    ...(thread && { thread }),
    ...(reply && { reply }),
    ...file,
    ...(expires && { expires }),
  };
}
