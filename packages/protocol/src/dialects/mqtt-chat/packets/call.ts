// Calls, `{id}/o/l`: signalling of one call, {"i":call id,"m":what is said,"s":sender,"c":"CALL","t":unix ms}.

import { AppError } from "../../../errors.ts";
import { parseAddress, parseConv } from "../../../ids.ts";
import type { Downlink, Said } from "../../dialect.ts";
import { asMessage, type Device, type StoredMessage } from "../device/device.ts";
import { readObject } from "../device/payload.ts";
import { topicFor } from "../device/topics.ts";
import { messageSuffixes, saidMessage, sayRefusal } from "../device/words.ts";
import type { Addressed, Provider } from "./provider.ts";

const suffixes = ["o/l"] as const;
/** Native users see it as an application's own type. */
export const callContent = "x-mqtt-chat.call";

export const calls: Provider = {
  suffixes,
  async take({ id, packet }: Addressed, device) {
    const object = readObject(packet.payload);
    const call = object?.i;
    const isCall = typeof object?.m === "string" && (typeof call === "string" || typeof call === "number");
    const refused = new AppError("invalid_packet", 'a call is {"i","m","s","c","t"}');
    if (object === undefined || !isCall) return sayRefusal(device, "call not sent", refused);
    const to = `user/${id}`;
    if (!parseAddress(to))
      return sayRefusal(device, "call not sent", new AppError("not_found", `there is no user ${id}`));
    const at = typeof object.t === "number" ? { t: object.t } : {};
    const content = { type: callContent, data: object.m, call: `${call}`, ...at };
    const stored = await device.parley.send({ to, content }, { packet });
    if (stored instanceof AppError) await sayRefusal(device, "call not sent", stored);
  },
  render(packet: Downlink, device): readonly Said[] {
    const message = asMessage(packet);
    if (message?.content.type !== callContent) return [];
    const { from, ts, content, device: sender } = message;
    if (sender === device.tree.clientId && from === device.tree.uid) return [];
    return [saidCall(message, device, { t: typeof content.t === "number" ? content.t : ts })];
  },
};

// A device that takes no calls gets it as a message, as one of programs that know `c` only.
function saidCall(message: StoredMessage, device: Device, { t }: { t: number }): Said {
  const { from: s, id, conv, content } = message;
  const { uid } = device.tree;
  const call = topicFor(device, uid, suffixes);
  const m = typeof content.data === "string" ? content.data : "";
  const i = typeof content.call === "string" ? content.call : id;
  if (device.hears(call)) return { topic: call, payload: JSON.stringify({ i, m, s, c: "CALL", t }) };
  const parsed = parseConv(conv);
  const place = parsed?.kind === "room" ? parsed.roomId : uid;
  return saidMessage(topicFor(device, place, messageSuffixes), { m, i: id, s, c: "CALL", d: false, t });
}
