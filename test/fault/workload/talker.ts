// A stock device for one test: says a thing until it is acknowledged, asks a thing until it is answered.
import type { AckPacket, JsonObject } from "@parley/protocol";
import { eventually, type TestContext } from "@parley/testkit";
import { connectDevice, type Device } from "./device.ts";
import type { People } from "./people.ts";

export interface Talker {
  device: Device;
  /** everything it was sent, in order */
  packets: JsonObject[];
  /** Publishes until one more ack than before has come for the id; answers that ack. */
  say(message: JsonObject & { id: string }): Promise<AckPacket>;
  /** A request over MQTT, sent again until it is answered; its result. */
  ask(method: string, params: JsonObject): Promise<JsonObject>;
  acksOf(id: string): AckPacket[];
}

const againMs = 1_500;
const waitMs = 40_000;

export async function openTalker(
  t: TestContext,
  people: People,
  uid: string,
  options: { device?: string; version?: 4 | 5 } = {},
): Promise<Talker> {
  const { device: name = "talker", version = 5 } = options;
  const packets: JsonObject[] = [];
  const session = await people.login(uid, name);
  const device = await connectDevice({ session, version, onPacket: (packet) => void packets.push(packet) });
  t.after(() => device.close());
  const acksOf = (id: string) =>
    packets.filter((packet) => packet.type === "ack" && packet.id === id) as unknown as AckPacket[];
  let requests = 0;

  async function until<T>(publish: () => void, found: () => T | undefined): Promise<T> {
    publish();
    const timer = setInterval(() => device.connectedAt() !== undefined && publish(), againMs);
    return eventually(found, { timeoutMs: waitMs }).finally(() => clearInterval(timer)) as Promise<T>;
  }

  return {
    device,
    packets,
    acksOf,
    say(message) {
      const before = acksOf(message.id).length;
      const publish = () => device.publish(device.topics.publish.msg, JSON.stringify(message));
      return until(publish, () => acksOf(message.id)[before]);
    },
    ask(method, params) {
      const id = `request-${requests++}`;
      const publish = () => device.publish(device.topics.publish.rpc, JSON.stringify({ id, method, params }));
      const answer = () => packets.find((packet) => packet.id === id && packet.result !== undefined);
      return until(publish, () => answer()?.result as JsonObject | undefined);
    },
  };
}
