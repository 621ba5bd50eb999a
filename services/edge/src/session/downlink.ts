// The broker's packets on their way to the device: passed in runs, only a SUBACK that is not whole is changed.
import type { Framing } from "../packets/framing.ts";
import { types, type Version } from "../packets/packets.ts";
import { completeSuback, type PartialSubacks } from "../uplink/subscribe.ts";

/** Sends on every whole packet of `frame`. Answers what it saw: a DISCONNECT, or bytes that are no packets. */
export function passDownlink(
  frame: Framing,
  version: Version,
  partial: PartialSubacks,
  send: (bytes: Buffer) => void,
): { parted: boolean; broken: boolean } {
  let from = frame.end;
  let parted = false;
  for (;;) {
    const found = frame.next();
    if (found !== "packet") {
      if (frame.end > from) send(frame.bytes.subarray(from, frame.end));
      return { parted, broken: found !== "more" };
    }
    const type = frame.bytes[frame.start]! >> 4;
    if (type === types.disconnect) parted = true;
    if (type !== types.suback || partial.size === 0) continue;
    const whole = completeSuback(frame.packet(), version, partial);
    if (whole === undefined) continue;
    if (frame.start > from) send(frame.bytes.subarray(from, frame.start));
    send(whole);
    from = frame.end;
  }
}
