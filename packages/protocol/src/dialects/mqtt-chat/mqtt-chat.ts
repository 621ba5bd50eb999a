// mqtt-chat: messages are published to the receiver's topic, and everything is found by the topic behind its first `/`.
import type { Dialect, Downlink, Said, Speaker } from "../dialect.ts";
import { type Device, openDevice } from "./device/device.ts";
import { isOfMqttChat, splitTopic } from "./device/topics.ts";
import { sayWords } from "./device/words.ts";
import { sayNotSent } from "./packets/message.ts";
import { becomeActive } from "./packets/presence.ts";
import { providerOf, providers } from "./providers.ts";
import { sayRetained } from "./retained.ts";

export const mqttChat: Dialect = {
  name: "mqtt-chat",
  owns: isOfMqttChat,
  subscribesAll: false,
  echoes: true,
  showsAtFirst: 20,
  open(tree, parley): Speaker {
    const device = openDevice(tree, parley);
    return {
      async take(packet) {
        // That a device is gone is told by its connection's end, whatever its Will says and where.
        if (packet.will) return;
        const topic = splitTopic(packet.topic);
        const take = topic && providerOf(topic.suffix)?.take;
        if (take) return take({ id: topic.id, packet }, device);
        if (isOfMqttChat(packet.topic)) await sayWords(device, `nobody takes ${packet.topic.slice(0, 100)}`);
      },
      refused: ({ payload }, error) => sayNotSent(payload, error, device),
      render: (packet) => renderFrom(0, packet, device),
      subscribed: (filters) => sayRetained(filters, device),
      active: (is) => becomeActive(is, device),
      begin: device.presence.begin,
    };
  },
};

/** What the providers from `first` on say to a packet, one behind the other: nearly all of them nothing, at once. */
function renderFrom(first: number, packet: Downlink, device: Device): readonly Said[] | Promise<readonly Said[]> {
  const said: Said[] = [];
  for (let at = first; at < providers.length; at++) {
    const words = providers[at]?.render?.(packet, device) ?? nothing;
    if (words instanceof Promise)
      return words.then(async (told) => [...said, ...told, ...(await renderFrom(at + 1, packet, device))]);
    said.push(...words);
  }
  return said;
}

const nothing: readonly Said[] = [];
