// What Parley refused of native packets of the device, where it does not hear its native topic: a text from `parley`.

import type { NackPacket } from "../../../packets/downlink.ts";
import { deviceTopic } from "../../../topics.ts";
import type { Downlink, Said } from "../../dialect.ts";
import type { Device } from "../device/device.ts";
import { wordsPacket } from "../device/words.ts";
import type { Provider } from "./provider.ts";

export const refusals: Provider = {
  suffixes: [],
  render(packet: Downlink, device: Device): readonly Said[] {
    const { uid, clientId } = device.tree;
    if (packet.type !== "nack" || device.hears(deviceTopic(uid, clientId))) return [];
    const { id, message } = packet as unknown as NackPacket;
    return [wordsPacket(device, `refused${id === null ? "" : ` (${id})`}: ${message}`)];
  },
};
