// Decides SUBSCRIBE filter by filter: the broker sees those that are allowed, the device gets one SUBACK for all.
import { setTimeout as sleep } from "node:timers/promises";
import { deviceTopic, ephemeralTopic, messagesTopic } from "@parley/protocol";
import type { ISubscribePacket, ISubscription, QoS } from "mqtt-packet";
import type { Decisions } from "../hooks/decisions.ts";
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { readPacket, type Version, writePacket } from "../packets/packets.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import { isShared, isTopicFilter } from "../packets/topic.ts";
import type { UplinkDevice } from "./device.ts";

/** Filters of one SUBSCRIBE: what a client names at once, many times over. Hooks and broker never see one with more. */
export const filtersMax = 1000;
/** A device that reads its answers has one or two of them open; the next SUBSCRIBE waits until the broker has caught up. */
const partialMax = 100;
const roomAgainMs = 50;

/** `packet` is well-formed. */
export async function decideSubscribe(packet: Buffer, device: UplinkDevice, decisions: Decisions): Promise<Outcome> {
  const { version, partial } = device;
  const subscribe = readPacket(packet, "subscribe", version);
  if (subscribe === undefined) return { close: reasons.malformed };
  const verdicts = await judge(subscribe.subscriptions, device, decisions);
  // Its device asks again on its next connection.
  if (verdicts === undefined) return { close: reasons.unavailable };
  const granted = subscribe.subscriptions.flatMap((one, index) =>
    verdicts[index]! >= 128 ? [] : [{ ...one, qos: verdicts[index] as QoS }],
  );
  const packetId = subscribe.messageId!;
  const words = device.wantsWords ? wordsFor(verdicts, device) : "";
  if (granted.length === 0) return { reply: writeAnswer("suback", packetId, verdicts, words, device) };
  device.hearing.asked(packetId, granted, subscribe.properties?.subscriptionIdentifier === undefined);
  const asAsked = subscribe.subscriptions.every((one, index) => one.qos === verdicts[index]);
  if (asAsked) {
    partial.delete(packetId);
    return asItCame;
  }
  await roomForPartial(device);
  partial.set(packetId, { codes: verdicts.map((code) => (code >= 128 ? code : undefined)), words });
  return { forward: writeSubscribe(subscribe, granted, version) };
}

/** Refuses every filter of a SUBSCRIBE for one reason, which has a code in SUBACK. */
export function refuseSubscribe(packetId: number, filters: number, reason: Reason, device: UplinkDevice): Outcome {
  device.partial.delete(packetId);
  const codes = Array<number>(filters).fill(device.version === 5 ? reason.code : 128);
  const reply = writeAnswer("suback", packetId, codes, device.wantsWords ? (reason.words ?? "") : "", device);
  // To a library an answer above its own limit is a fault of the protocol [MQTT-3.1.2-24].
  return reply.length > device.maxPacketBytes ? { close: reasons.tooLarge } : { reply };
}

/**
 * One verdict a subscription. Shared subscriptions would let a device take others' messages away, and a misplaced wildcard
 * is no filter: neither is even asked for. A refusal in words is all that MQTT 3.1.1 has for them, too.
 */
async function judge(subscriptions: ISubscription[], device: UplinkDevice, decisions: Decisions) {
  const known = subscriptions.map(({ topic }) => fault(topic));
  const asked = subscriptions.filter((_, index) => known[index] === undefined);
  const answers = asked.length === 0 ? [] : await decisions.subscribe(device, asked, device);
  if (answers === undefined) return undefined;
  let next = 0;
  return known.map((reason) => {
    if (reason === undefined) return answers[next++]!;
    return device.version === 5 ? reason.code : 128;
  });
}

function fault(filter: string): Reason | undefined {
  if (isShared(filter)) return reasons.sharedRefused;
  return isTopicFilter(filter) ? undefined : reasons.topicFilterInvalid;
}

/** The first refusal in words. */
function wordsFor(verdicts: number[], { clientId, username }: UplinkDevice): string {
  const code = verdicts.find((verdict) => verdict >= 128);
  if (code === reasons.sharedRefused.code) return reasons.sharedRefused.words;
  if (code === reasons.topicFilterInvalid.code) return reasons.topicFilterInvalid.words;
  if (code === undefined || username === null) return "";
  const own = [messagesTopic(username), ephemeralTopic(username), deviceTopic(username, clientId)];
  return `this device may subscribe ${own.join(", ")}`;
}

/** Until there is room to remember what the broker's answer is to be completed by, or the device is gone. */
export async function roomForPartial({ partial, isOpen }: UplinkDevice): Promise<void> {
  while (partial.size >= partialMax && isOpen()) await sleep(roomAgainMs);
}

/**
 * The broker's SUBACK or UNSUBACK with the refused filters' codes put back in their places, or undefined when it is whole as
 * it is.
 */
export function completeAnswer(cmd: "suback" | "unsuback", packet: Buffer, device: UplinkDevice): Buffer | undefined {
  const answer = readPacket(packet, cmd, device.version);
  const owed = device.partial.get(answer?.messageId ?? 0);
  if (answer === undefined || owed === undefined) return undefined;
  device.partial.delete(answer.messageId!);
  const granted = answer.granted as number[];
  let next = 0;
  const merged = owed.codes.map((code) => code ?? granted[next++] ?? 128);
  return writeAnswer(cmd, answer.messageId!, merged, owed.words, device);
}

export function writeAnswer(
  cmd: "suback" | "unsuback",
  messageId: number,
  granted: number[],
  words: string,
  device: UplinkDevice,
): Buffer {
  const packet = { cmd, messageId, granted };
  const short = writePacket(packet, device.version);
  if (words === "") return short;
  const long = writePacket({ ...packet, properties: { reasonString: words } }, device.version);
  return long.length > device.maxPacketBytes ? short : long;
}

function writeSubscribe(subscribe: ISubscribePacket, subscriptions: ISubscription[], version: Version): Buffer {
  const { messageId, properties } = subscribe;
  return writePacket(
    { cmd: "subscribe", messageId: messageId!, subscriptions, ...(properties === undefined ? {} : { properties }) },
    version,
  );
}
