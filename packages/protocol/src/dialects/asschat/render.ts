// What Parley has for a device: messages of its channels, and what happened to them.
import { AppError } from "../../errors.ts";
import { namedMembers, parseConv } from "../../ids.ts";
import { roomsGet } from "../../methods/rooms.ts";
import type { Downlink, Said, Speaker } from "../dialect.ts";
import { refusedAs } from "../refused-as.ts";
import { whenKnown } from "../when-known.ts";
import { unknownPacket, writeRefusal } from "./acks.ts";
import type { Device } from "./device.ts";
import { writeFields } from "./fields.ts";
import { asMessage, messageTopic, type StoredMessage, writeMessage } from "./messages.ts";
import { channelIdOf, writeUser } from "./names.ts";
import {
  createdNotification,
  type Notification,
  notificationsOf,
  notificationTopic,
  writeNotification,
} from "./notifications.ts";
import { openOnce } from "./once.ts";
import type { SaidOf } from "./pending.ts";

export interface Render {
  render: Speaker["render"];
  /** What tells a device of a message, beside the message itself. */
  notified: SaidOf;
}

export function createRender(device: Device): Render {
  const { parley, channels, pending } = device;
  const once = openOnce(device, (conv) => messageTopic(channels.idOf(conv)));

  const notified: SaidOf = async (message, isFirst) => {
    const chid = channels.idOf(message.conv);
    const created = isFirst ? [await firstOf(message, device)] : [];
    const all: Notification[] = [...created, ...notificationsOf(message)];
    return all.map((one, part) => writeNotification(chid, { seq: message.seq, ts: message.ts, part }, one));
  };

  async function tellNews(message: StoredMessage, isFirst: boolean): Promise<Said[]> {
    const packets = await notified(message, isFirst);
    const isHeard = parley.hears(notificationTopic(channels.idOf(message.conv)));
    if (packets.length > 0) pending.told(message, packets.length, isFirst);
    // Who hears them later is told them then.
    if (!isHeard) return [];
    pending.noteSaid(message.conv, message.seq);
    return packets;
  }

  async function show(message: StoredMessage): Promise<Said[]> {
    await pending.load();
    const isNews = notificationsOf(message).length > 0;
    const isFirst = !pending.isTold(message.conv) && message.content.type !== "event";
    if (isNews) return tellNews(message, isFirst);
    const said = await writeMessage(channels.idOf(message.conv), message, parley);
    // Who does not hear messages yet gets this one later, and the news with it.
    return isFirst && parley.hears(said.topic) ? [...(await tellNews(message, true)), said] : [said];
  }

  return {
    notified,
    render(packet) {
      const message = asMessage(packet);
      if (message === undefined) return renderNotice(packet);
      if (once.isTold(message)) return [];
      const isPlain = !message.content.type.startsWith("x-") && message.content.type !== "event";
      if (!isPlain || !pending.isLoaded() || !pending.isTold(message.conv)) return show(message);
      return whenKnown(writeMessage(channels.idOf(message.conv), message, parley), (said) => [said]);
    },
  };
}

async function firstOf({ conv, from }: StoredMessage, { parley }: Device): Promise<Notification> {
  const parsed = parseConv(conv);
  const named = parsed && namedMembers(parsed);
  if (parsed?.kind !== "room") return createdNotification(from, named ?? [from]);
  const room = await parley.call(roomsGet, { id: parsed.roomId }).catch(refusedAs(undefined));
  return createdNotification(room?.createdBy ?? from, []);
}

/** That a native packet of the device was refused, and that the user is asked into a room, which is not kept: it is no endpoint yet. */
function renderNotice(packet: Downlink): Said[] {
  const { type, conv, by, id } = packet;
  if (type === "nack") {
    const about = [["Id", typeof id === "string" ? id : undefined]] as const;
    return [writeRefusal(unknownPacket, AppError.fromWire(packet as never), about)];
  }
  if (type !== "invitation" || typeof conv !== "string" || typeof by !== "string") return [];
  const chid = channelIdOf(conv);
  const userProperties = writeFields([
    ["CHID", chid],
    ["Type", type],
    ["OP", writeUser(by)],
  ]);
  return [{ topic: notificationTopic(chid), payload: `${by} invites you`, properties: { userProperties } }];
}
