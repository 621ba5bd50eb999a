// mqtt-chat: messages are published to the receiver's topic, and everything is found by the topic behind its first `/`.
import type { Dialect, Said, Speaker } from "../dialect.ts";
import { openDevice } from "./device/device.ts";
import { isOfMqttChat, splitTopic } from "./device/topics.ts";
import { sayWords } from "./device/words.ts";
import { sayNotSent } from "./packets/message.ts";
import { becomeActive, becomeLive } from "./packets/presence.ts";
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
      async render(packet) {
        const said: Said[] = [];
        for (const { render } of providers) {
          const words = render?.(packet, device) ?? [];
          // Nearly all of them have nothing to say to a packet, and say so at once.
          said.push(...(words instanceof Promise ? await words : words));
        }
        return said;
      },
      subscribed: (filters) => sayRetained(filters, device),
      active: (is) => becomeActive(is, device),
      begin: () => becomeLive(device),
    };
  },
};
