// A device that sends what must be refused, one packet after the other, until each got its error.

import { type JsonObject, limits, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Bad } from "../checker/record.ts";
import type { Device } from "./device.ts";

export interface Troublemaker {
  /** those that were sent, the last one perhaps without its error yet */
  bad(): Bad[];
  take(packet: JsonObject): void;
  /** 1 while a packet waits for its error. */
  unanswered(): number;
  stopNew(): void;
  stop(): void;
}

interface BadPacket {
  what: string;
  expected: string;
  payload(id: string, mark: string): string | Buffer;
  verb?: "msg" | "receipt" | "state" | "rpc";
  wrongPartition?: true;
  /** its error names its id; otherwise the id cannot be read */
  named?: true;
}

const text = (mark: string) => ({ type: "text", data: mark });
const message = (id: string, fields: object) => JSON.stringify({ id, ...fields });

/** `room` exists and the device's user is not in it. */
function badPackets(uid: string, room: string): BadPacket[] {
  const to = `user/${uid}`;
  return [
    { what: "not JSON", expected: "invalid_packet", payload: (_, mark) => `{"id": ${mark}` },
    { what: "an array", expected: "invalid_packet", payload: (_, mark) => JSON.stringify([mark]) },
    { what: "nothing", expected: "invalid_packet", payload: () => "" },
    { what: "not UTF-8", expected: "invalid_packet", payload: (_, mark) => Buffer.from(`{"id":"${mark}\xff\xfe"}`, "latin1") },
    { what: "no content", named: true, expected: "invalid_packet", payload: (id) => message(id, { to }) },
    { what: "a key __proto__", expected: "invalid_packet", payload: (id, mark) => `{"id":"${id}","to":"${to}","content":{"type":"text","data":"${mark}"},"__proto__":{}}` },
    { what: "nested too deep", expected: "invalid_packet", payload: (id, mark) => message(id, { to, content: { ...text(mark), deep: JSON.parse("[".repeat(30) + "]".repeat(30)) } }) },
    { what: "no address", named: true, expected: "invalid_packet", payload: (id, mark) => message(id, { to: "planet/mars", content: text(mark) }) },
    { what: "an event of its own", named: true, expected: "forbidden", payload: (id, mark) => message(id, { to, content: { type: "event", data: mark } }) },
    { what: "too large", expected: "too_large", payload: (id, mark) => message(id, { to, content: text(mark + "x".repeat(limits.packetBytes)) }) },
    { what: "to nobody", named: true, expected: "not_found", payload: (id, mark) => message(id, { to: "user/nobody.at.all", content: text(mark) }) },
    { what: "to no room", named: true, expected: "not_found", payload: (id, mark) => message(id, { to: "room/no.such.room", content: text(mark) }) },
    { what: "to a room of others", named: true, expected: "not_found", payload: (id, mark) => message(id, { to: `room/${room}`, content: text(mark) }) },
    { what: "behind a message that is not there", named: true, expected: "out_of_order", payload: (id, mark) => message(id, { to, prev: "never-sent", content: text(mark) }) },
    { what: "in another partition", named: true, expected: "wrong_partition", wrongPartition: true, payload: (id, mark) => message(id, { to, content: text(mark) }) },
    { what: "a receipt with text", expected: "invalid_packet", verb: "receipt", payload: (id) => JSON.stringify({ id, conv: `room/${room}`, read: "all" }) },
    { what: "a receipt of others", named: true, expected: "not_found", verb: "receipt", payload: (id) => JSON.stringify({ id, conv: `room/${room}`, read: 1 }) },
    { what: "a state it does not know", expected: "invalid_packet", verb: "state", payload: () => JSON.stringify({ show: "asleep" }) },
  ]; // biome-ignore format: one packet a line
}

const tickMs = 100;
const nackWaitMs = 4_000;
// What a packet is told while something is down: it is sent again.
const passing = new Set(["unavailable", "internal", "rate_limited"]);

export function startTroublemaker(device: Device, room: string): Troublemaker {
  const packets = badPackets(device.uid, room);
  const bad: Bad[] = [];
  let active = true;
  let current: { entry: Bad; id: string; named: boolean; againAt: number; publish(): void } | undefined;

  function begin(): typeof current {
    const packet = packets[bad.length % packets.length] as BadPacket;
    const id = `bad-${device.clientId}-${bad.length}`;
    const mark = `mark-${id}.`;
    const entry: Bad = { device: device.clientId, what: packet.what, expected: packet.expected, mark, nacks: [] };
    const topic = topicOf(device, packet);
    const payload = packet.payload(id, mark);
    return { entry, id, named: packet.named === true, againAt: 0, publish: () => device.publish(topic, payload) };
  }

  const timer = setInterval(() => {
    const now = performance.now();
    if (device.connectedAt() === undefined) return;
    if (active) current ??= begin();
    if (!current || current.againAt > now) return;
    current.againAt = now + nackWaitMs;
    current.publish();
  }, tickMs);
  return {
    bad: () => (current ? [...bad, current.entry] : bad),
    take(packet) {
      if (packet.type !== "nack" || !current) return;
      const code = String(packet.code);
      // An error without an id may be a second one of the packet before.
      const its = current.named ? packet.id === current.id : code === current.entry.expected;
      if (!its || passing.has(code)) return;
      current.entry.nacks.push(code);
      bad.push(current.entry);
      current = undefined;
    },
    unanswered: () => (current ? 1 : 0),
    stopNew() {
      active = false;
    },
    stop: () => clearInterval(timer),
  };
}

function topicOf({ uid, clientId, topics }: Device, { verb = "msg", wrongPartition }: BadPacket): string {
  if (!wrongPartition) return topics.publish[verb];
  const p = ingestPartition(clientId) === "0" ? "1" : "0";
  return uplinkTopic({ p, uid, clientId, verb });
}
