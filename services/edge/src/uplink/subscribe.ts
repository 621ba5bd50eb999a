// Decides SUBSCRIBE filter by filter: the broker sees those that are allowed, the device gets one SUBACK for all.
import type { ISubscribePacket, ISubscription, QoS } from "mqtt-packet";
import type { Decisions } from "../hooks/decisions.ts";
import type { Asker } from "../hooks/questions.ts";
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { readPacket, type Version, writePacket } from "../packets/packets.ts";
import { reasons } from "../packets/reasons.ts";

/** SUBACKs the broker owes for a part of what was asked: by packet id, the codes in order, undefined where its own belong. */
export type PartialSubacks = Map<number, (number | undefined)[]>;

/** A device that reads its SUBACKs has one or two of them open. */
const partialMax = 100;

export async function decideSubscribe(
  packet: Buffer,
  version: Version,
  asker: Asker,
  decisions: Decisions,
  partial: PartialSubacks,
): Promise<Outcome> {
  const subscribe = readPacket(packet, "subscribe", version);
  if (subscribe === undefined || subscribe.subscriptions.length === 0) return { close: reasons.malformed };
  if (!subscribe.messageId) return { close: reasons.protocolError };
  if (subscribe.subscriptions.some((one) => one.topic === "")) return { close: reasons.topicFilterInvalid };
  const verdicts = await judge(subscribe.subscriptions, version, asker, decisions);
  const granted = subscribe.subscriptions.flatMap((one, index) =>
    verdicts[index]! >= 128 ? [] : [{ ...one, qos: verdicts[index] as QoS }],
  );
  const packetId = subscribe.messageId;
  if (granted.length === 0) return { reply: writeSuback(packetId, verdicts, version) };
  const asAsked = subscribe.subscriptions.every((one, index) => one.qos === verdicts[index]);
  if (asAsked) {
    partial.delete(packetId);
    return asItCame;
  }
  if (partial.size >= partialMax) return { close: reasons.busy };
  partial.set(
    packetId,
    verdicts.map((code) => (code >= 128 ? code : undefined)),
  );
  return { forward: writeSubscribe(subscribe, granted, version) };
}

/** Shared subscriptions would let a device take others' messages away; they are not even asked for. */
async function judge(subscriptions: ISubscription[], version: Version, asker: Asker, decisions: Decisions) {
  const isShared = (one: ISubscription): boolean => one.topic.startsWith("$share/") || one.topic === "$share";
  const asked = subscriptions.filter((one) => !isShared(one));
  const answers = asked.length === 0 ? [] : await decisions.subscribe(asker, asked, version);
  const refusedShare = version === 5 ? reasons.sharedRefused.code : 128;
  let next = 0;
  return subscriptions.map((one) => (isShared(one) ? refusedShare : answers[next++]!));
}

/** The broker's SUBACK with the refused filters' codes put back in their places, or undefined when it is whole as it is. */
export function completeSuback(packet: Buffer, version: Version, partial: PartialSubacks): Buffer | undefined {
  const suback = readPacket(packet, "suback", version);
  const codes = partial.get(suback?.messageId ?? 0);
  if (suback === undefined || codes === undefined) return undefined;
  partial.delete(suback.messageId!);
  const granted = suback.granted as number[];
  let next = 0;
  const merged = codes.map((code) => code ?? granted[next++] ?? 128);
  return writeSuback(suback.messageId!, merged, version);
}

function writeSuback(messageId: number, granted: number[], version: Version): Buffer {
  return writePacket({ cmd: "suback", messageId, granted }, version);
}

function writeSubscribe(subscribe: ISubscribePacket, subscriptions: ISubscription[], version: Version): Buffer {
  const { messageId, properties } = subscribe;
  return writePacket(
    { cmd: "subscribe", messageId: messageId!, subscriptions, ...(properties === undefined ? {} : { properties }) },
    version,
  );
}
