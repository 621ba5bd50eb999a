// The broker's packets on their way to the device: passed in runs. Changed are a SUBACK or UNSUBACK that is not whole and a PUBLISH that
// is larger than the device takes; left out is what an inactive device does not want.
import type { Framing } from "../packets/framing.ts";
import { types } from "../packets/packets.ts";
import { readVarint } from "../packets/properties.ts";
import { isEphemeral } from "../uplink/client-state.ts";
import type { UplinkDevice } from "../uplink/device.ts";
import { isSurplus } from "../uplink/large.ts";
import { completeAnswer } from "../uplink/subscribe.ts";
import { replaceLarge } from "../uplink/too-large.ts";

interface Ways {
  toDevice(bytes: Buffer): void;
  toBroker(bytes: Buffer): void;
}

/** Sends on every whole packet of `frame`. Answers what it saw: a DISCONNECT, or bytes that are no packets. */
export function passDownlink(frame: Framing, device: UplinkDevice, ways: Ways): { parted: boolean; broken: boolean } {
  let from = frame.end;
  let parted = false;
  for (;;) {
    const found = frame.next();
    if (found !== "packet") {
      if (frame.end > from) ways.toDevice(frame.bytes.subarray(from, frame.end));
      return { parted, broken: found !== "more" };
    }
    const type = frame.bytes[frame.start]! >> 4;
    if (type === types.disconnect) parted = true;
    // What has waited for it past the broker goes out behind all that came before.
    if (type === types.pingresp) from = sendRun(frame, from, ways);
    const changed = see(frame, type, device) ?? change(frame, type, device);
    if (changed === undefined) {
      if (type === types.publish) device.owed.sent(frame);
      continue;
    }
    sendRun(frame, from, ways);
    if (changed === collision) return { parted, broken: true };
    sendInstead(changed, ways);
    from = frame.end;
  }
}

/** The packets from `from` up to this one. Answers where it begins. */
function sendRun({ bytes, start }: Framing, from: number, ways: Ways): number {
  if (start > from) ways.toDevice(bytes.subarray(from, start));
  return start;
}

function hear(frame: Framing, { hearing, version }: UplinkDevice): void {
  const { bytes, body, end } = frame;
  let codesAt = body + 2;
  if (version === 5) {
    const properties = readVarint(bytes, codesAt, end);
    if (properties === undefined) return;
    codesAt = properties.next + properties.value;
  }
  hearing.answered(bytes.readUInt16BE(body), bytes.subarray(codesAt, end));
}

interface Instead {
  forDevice: Buffer | undefined;
  forBroker: Buffer | undefined;
}

function sendInstead({ forDevice, forBroker }: Instead, ways: Ways): void {
  if (forDevice !== undefined) ways.toDevice(forDevice);
  if (forBroker !== undefined) ways.toBroker(forBroker);
}

const leftOut: Instead = { forDevice: undefined, forBroker: undefined };
/** nothing that could be told to a device */
const collision: Instead = { ...leftOut };

/** What of it is about copies that went past the broker. */
function see(frame: Framing, type: number, device: UplinkDevice): Instead | undefined {
  switch (type) {
    case types.suback:
      hear(frame, device);
      return undefined;
    case types.pingresp:
      if (device.direct?.answered()) return leftOut;
      device.pings = Math.max(0, device.pings - 1);
      return undefined;
    case types.publish:
      if (device.direct?.isKnown(frame)) return leftOut;
      return device.direct?.collides(frame) ? collision : undefined;
    default:
      return undefined;
  }
}

/** What goes out in the packet's place; undefined when it passes as it came. */
function change(frame: Framing, type: number, device: UplinkDevice): Instead | undefined {
  if (type === types.publish && frame.end - frame.start > device.maxPacketBytes)
    return replaceLarge(frame.packet(), frame.body - frame.start, device.maxPacketBytes);
  if (type === types.publish && device.isInactive && isEphemeral(frame)) return leftOut;
  if (type === types.unsuback && device.surplus.size > 0 && isSurplus(frame.bytes.readUInt16BE(frame.body), device))
    return leftOut;
  if ((type !== types.suback && type !== types.unsuback) || device.partial.size === 0) return undefined;
  const forDevice = completeAnswer(type === types.suback ? "suback" : "unsuback", frame.packet(), device);
  return forDevice === undefined ? undefined : { forDevice, forBroker: undefined };
}
