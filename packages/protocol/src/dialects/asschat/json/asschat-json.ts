// The second form of ASSChat, as its author's later page has it: JSON on plain publishes, so that any version of MQTT will do.
import { AppError } from "../../../errors.ts";
import type { PresenceNotice } from "../../../packets/downlink.ts";
import type { Dialect, Downlink, Said, Speaker } from "../../dialect.ts";
import { openChannels } from "../channels.ts";
import type { Device } from "../device.ts";
import { asMessage } from "../messages.ts";
import { type Once, openOnce } from "../once.ts";
import { openPending } from "../pending.ts";
import { writeRefusal } from "./answers.ts";
import { chIdOf } from "./ids.ts";
import { writeMessage } from "./messages.ts";
import { writeInvitation, writeNotifications } from "./notifications.ts";
import { openStatus, type Status } from "./status.ts";
import { askedBy, createTake } from "./take.ts";
import { channelTopic, isOfSecondForm } from "./topics.ts";

export const asschatJson: Dialect = {
  name: "asschat-json",
  owns: isOfSecondForm,
  // The page has the server subscribe for its clients, all but the status of others.
  subscribesAll: true,
  echoes: false,
  tellsOwnEvents: true,
  showsAtFirst: 20,
  open(tree, parley): Speaker {
    const pending = openPending(parley, () => tree.connectedAt);
    const device: Device = { tree, parley, channels: openChannels(parley), pending };
    const status = openStatus(device);
    const once = openOnce(device, (conv) => channelTopic(chIdOf(conv, device.channels)));
    return {
      take: createTake(device, status),
      refused: (packet, error) => parley.say(writeRefusal(tree.clientId, askedBy(packet), error)),
      render: (packet) => render({ device, status, once }, packet),
      subscribed: status.subscribed,
      begin: status.begin,
    };
  },
};

interface Shown {
  device: Device;
  status: Status;
  once: Once;
}

async function render({ device, status, once }: Shown, packet: Downlink): Promise<readonly Said[]> {
  const message = asMessage(packet);
  if (message !== undefined) {
    if (once.isTold(message)) return [];
    const news = writeNotifications(device, message);
    return news.length > 0 ? news : [await writeMessage(device, message)];
  }
  const { type, id } = packet;
  if (type === "presence") return status.render(packet as PresenceNotice);
  if (type === "invitation") return writeInvitation(device, packet, Date.now());
  if (type !== "nack") return [];
  const req_id = typeof id === "string" || typeof id === "number" ? id : undefined;
  return [writeRefusal(device.tree.clientId, { req_id, type }, AppError.fromWire(packet as never))];
}
