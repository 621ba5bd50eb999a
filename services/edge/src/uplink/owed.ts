// What a device was sent at QoS 1 and 2 and has not confirmed: the broker keeps it, and queues as much again behind it.
import type { Framing } from "../packets/framing.ts";
import { types } from "../packets/packets.ts";

export interface Owed {
  /** A PUBLISH goes out to the device. */
  sent(frame: Framing): void;
  /** PUBACK, PUBREC or PUBCOMP came. */
  confirmed(frame: Framing): void;
  bytes(): number;
  /** Looks, about once a second, since when (ms of `now`) the oldest has been waiting; undefined: nothing does. */
  look(now: number): number | undefined;
}

/** PUBREC with a code from here on refuses, and no PUBCOMP follows. */
const refusesFrom = 0x80;

export function openOwed(): Owed {
  /** packet id → bytes, oldest first */
  const packets = new Map<number, number>();
  let bytes = 0;
  let oldest: number | undefined;
  let since: number | undefined;

  function take(packetId: number): void {
    bytes -= packets.get(packetId) ?? 0;
    packets.delete(packetId);
    if (packetId === oldest) oldest = undefined;
  }

  return {
    sent({ bytes: all, start, body, end }) {
      if ((all[start]! & 6) === 0) return;
      const packetId = all.readUInt16BE(body + 2 + all.readUInt16BE(body));
      take(packetId);
      packets.set(packetId, end - start);
      bytes += end - start;
    },
    confirmed({ bytes: all, start, body, end }) {
      const isRec = all[start]! >> 4 === types.pubrec;
      if (isRec && (end - body < 3 || all[body + 2]! < refusesFrom)) return;
      take(all.readUInt16BE(body));
    },
    bytes: () => bytes,
    look(now) {
      const [first] = packets.keys();
      if (first === undefined) since = undefined;
      else if (first !== oldest) since = now;
      oldest = first;
      return since;
    },
  };
}
