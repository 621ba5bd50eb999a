// A stock sender: keeps its messages and sends them again with the same id until Parley acknowledges them.
import { type Address, convOf, type JsonObject, parseAddress } from "@parley/protocol";
import type { Ack, Sent } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import type { Device } from "./device.ts";

export interface SenderOptions {
  device: Device;
  /** addresses it writes to */
  to: readonly string[];
  perSecond: number;
  /** messages without an ack at a time */
  window: number;
  /** names the message before, so that the order holds whatever is lost */
  prev: boolean;
  random: Random;
}

export interface Sender {
  sent: Sent[];
  acks: Ack[];
  /** Takes an ack or nack of its device. */
  take(packet: JsonObject): void;
  unanswered(): number;
  /** When the first message was acknowledged whose first publish was after `since`; ms of performance.now(). */
  acknowledgedSince(since: number): number | undefined;
  /** The longest that a message first published after `since` waited or waits for its ack, ms. */
  longestWaitSince(since: number): number;
  /** When messages were first published and when they were acknowledged, ms of performance.now(); the latest 5,000. */
  answers(): readonly { firstAt: number; at: number }[];
  /** No new messages; those without an ack go on. */
  stopNew(): void;
  stop(): void;
}

interface Waiting {
  sent: Sent;
  packet: string;
  /** not before this moment is it sent again */
  againAt: number;
}

const tickMs = 20;
const ackWaitMs = 3_000;
const nackWaitMs = 400;
// Of so many messages it is known how long they waited: more than a fault can last.
const keptAnswers = 5_000;

export function startSender(options: SenderOptions): Sender {
  const { device, perSecond, window } = options;
  /** conversation → the seq of this device's latest text there */
  const texts = new Map<string, number>();
  const next = composer(options, texts);
  const waiting = new Map<string, Waiting>();
  const [sent, acks]: [Sent[], Ack[]] = [[], []];
  let active = true;
  let due = performance.now();
  const answered: { firstAt: number; at: number }[] = [];

  function publish(one: Waiting, now: number): void {
    one.sent.tries += 1;
    one.againAt = now + ackWaitMs;
    device.publish(device.topics.publish.msg, one.packet);
  }

  function tick(): void {
    const now = performance.now();
    const connectedAt = device.connectedAt();
    if (connectedAt === undefined) {
      due = now;
      return;
    }
    for (const one of waiting.values())
      if (one.againAt <= now && (one.sent.nacks.length > 0 || connectedAt + ackWaitMs <= now)) publish(one, now);
    for (; active && due <= now; due += 1_000 / perSecond) {
      if (waiting.size >= window) continue;
      const { message, packet } = next(now);
      const one = { sent: message, packet, againAt: 0 };
      sent.push(message);
      waiting.set(message.id, one);
      publish(one, now);
    }
  }

  function take(packet: JsonObject): void {
    const id = String(packet.id);
    const one = waiting.get(id);
    if (packet.type === "ack") {
      acks.push({ conv: String(packet.conv), device: device.clientId, id, seq: Number(packet.seq) });
      if (!one) return;
      waiting.delete(id);
      if (one.sent.type === "text") texts.set(one.sent.conv, Number(packet.seq));
      answered.push({ firstAt: one.sent.firstAt, at: performance.now() });
      if (answered.length > keptAnswers) answered.shift();
    } else if (packet.type === "nack" && one) {
      one.sent.nacks.push(String(packet.code));
      one.againAt = performance.now() + nackWaitMs;
    }
  }

  const timer = setInterval(tick, tickMs);
  return {
    sent,
    acks,
    take,
    unanswered: () => waiting.size,
    acknowledgedSince: (since) => answered.find(({ firstAt }) => firstAt > since)?.at,
    longestWaitSince(since) {
      const now = performance.now();
      const waits = [...waiting.values()].map(({ sent }) => ({ firstAt: sent.firstAt, at: now }));
      const all = [...answered, ...waits].filter(({ firstAt }) => firstAt > since);
      return all.reduce((longest, { firstAt, at }) => Math.max(longest, at - firstAt), 0);
    },
    answers: () => answered,
    stopNew() {
      active = false;
    },
    stop: () => clearInterval(timer),
  };
}

// What the device says next: mostly text, some reactions to what it said, and some that claim to be someone else's.
function composer(
  { device, to, prev, random }: SenderOptions,
  texts: ReadonlyMap<string, number>,
): (now: number) => { message: Sent; packet: string } {
  const orders = new Map<string, number>();
  const lastIds = new Map<string, string>();
  let count = 0;
  return (firstAt) => {
    const address = random.pick(to);
    const conv = convOf(device.uid, parseAddress(address) as Address);
    const id = `${device.clientId}-${count++}`;
    const order = orders.get(conv) ?? 0;
    orders.set(conv, order + 1);
    const before = prev ? lastIds.get(conv) : undefined;
    lastIds.set(conv, id);
    const data = `${count} ${"x".repeat(random.below(200))}`;
    const seq = texts.get(conv);
    const isReaction = random.chance(0.05) && seq !== undefined;
    const content = isReaction ? { type: "reaction", seq, data: "+1" } : { type: "text", data };
    const own = { id, to: address, content, ...(before === undefined ? {} : { prev: before }) };
    const forged = random.chance(0.05) ? { from: "mallory", seq: 1, device: "mallory", conv: "room/none" } : {};
    const packet = JSON.stringify({ ...own, ...forged });
    const line = { conv, from: device.uid, device: device.clientId, id, order, prev: before, firstAt };
    return { message: { ...line, type: content.type, body: JSON.stringify(own), tries: 0, nacks: [] }, packet };
  };
}
