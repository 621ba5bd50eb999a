// What a topic a room would gain on the raw broker: one PUBLISH for many subscribers against one for each.
import { messagesTopic } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import { type Listener, openListener } from "../listener.ts";
import { cpuMicros, difference } from "../processes.ts";
import { saturate } from "../saturate.ts";
import { type Bench, type Scenario, type Section, sized } from "../scenario.ts";
import { openSession } from "../session.ts";

const inFlight = 8;
const maxInFlight = 1_000;
const together = 50;
const memberTopic = (index: number) => messagesTopic(`member${index}`);
// Stands for a topic of the room and the epoch of its members, as docs/large-rooms.md proposes.
const roomTopic = (epoch: number) => messagesTopic(`room-epoch${epoch}`);

export const fanOut: Scenario = {
  does: "raw broker: one PUBLISH to 1,000 subscribers against 1,000 PUBLISHes (docs/large-rooms.md)",
  run: (bench) => bench.withCluster({ parts: ["mosquitto"] }, (cluster) => measure(bench, cluster)),
};

async function measure(bench: Bench, cluster: Cluster): Promise<Section[]> {
  const count = sized(bench, 1_000, 200);
  let copies = 0;
  let arrived: () => void = () => undefined;
  const listeners = await openListeners(cluster, count, () => {
    copies += 1;
    if (copies % count === 0) arrived();
  });
  const { broker: url } = cluster.wiring.urls;
  const login = { url, username: "parley", password: cluster.servicesSecret, clientId: "bench-sender" };
  const from = await openSession(login, [], () => undefined, maxInFlight);
  const payload = Buffer.from(JSON.stringify({ data: "x".repeat(250) }));
  const measureShape = async (topics: readonly string[]) => {
    const sample = () => ({ copies, cpu: cpuMicros(cluster.run().processes) });
    const waiting: (() => void)[] = [];
    arrived = () => waiting.shift()?.();
    // Every copy of a message arrives before the last one of the next: the broker keeps the order a subscriber.
    const send = {
      send: (timing: { acknowledged(ms: number): void; delivered(ms: number): void }) => {
        waiting.push(() => timing.delivered(performance.now()));
        void from.publishMany(topics, payload, 1).then(() => timing.acknowledged(performance.now()));
      },
      close: async () => undefined,
    };
    const found = await saturate([send], { ...bench, inFlight, sample });
    const sum = found.after.copies - found.before.copies;
    return { perSecond: sum / found.seconds, cpu: difference(found.after.cpu, found.before.cpu, sum) };
  };
  const each = await measureShape(Array.from({ length: count }, (_, index) => memberTopic(index)));
  const one = await measureShape([roomTopic(1)]);
  bench.say(
    `one PUBLISH for ${count}: ${Math.round(one.perSecond)} copies/s, one for each: ${Math.round(each.perSecond)}`,
  );
  const moveMs = await moveAll(listeners);
  for (const listener of listeners) listener.close();
  await from.close({ graceful: false });
  return [sectionOf(count, one, each, moveMs)];
}

interface Shape {
  perSecond: number;
  cpu: Record<string, number>;
}

function sectionOf(count: number, one: Shape, each: Shape, moveMs: number): Section {
  const beside = (value: number) => ({ what: `${count} PUBLISHes`, value });
  const cpuOf = ({ cpu }: Shape, part: string) => cpu[part] ?? 0;
  return {
    title: `One PUBLISH for ${count}`,
    subject: "one PUBLISH",
    notes: [
      `Mosquitto alone, ${count} subscribers with a connection each, QoS 1, ${inFlight} messages in flight; each copy is PUBACKed.`,
    ],
    figures: [
      { what: "copies delivered", value: one.perSecond, unit: "/s", baseline: beside(each.perSecond) },
      {
        what: "CPU of the broker a copy",
        value: cpuOf(one, "mosquitto"),
        unit: "µs",
        baseline: beside(cpuOf(each, "mosquitto")),
      },
      {
        what: "CPU of sender and receivers a copy",
        value: cpuOf(one, "generator"),
        unit: "µs",
        baseline: beside(cpuOf(each, "generator")),
      },
    ],
    tables: [{ head: ["a new epoch", "ms"], rows: [[`${count} subscriptions moved to the next topic`, moveMs]] }],
  };
}

// What a removal costs: everybody who stays is subscribed to the next topic, then leaves the last one.
async function moveAll(listeners: readonly Listener[]): Promise<number> {
  const begun = performance.now();
  await Promise.all(listeners.map((listener) => listener.subscribe(roomTopic(2))));
  await Promise.all(listeners.map((listener) => listener.unsubscribe(roomTopic(1))));
  return performance.now() - begun;
}

async function openListeners(cluster: Cluster, count: number, take: () => void): Promise<Listener[]> {
  const port = Number(new URL(cluster.wiring.urls.broker).port);
  const login = { port, username: "parley", password: cluster.servicesSecret };
  const listeners: Listener[] = [];
  for (let from = 0; from < count; from += together) {
    const some = Array.from({ length: Math.min(together, count - from) }, async (_, at) => {
      const index = from + at;
      const listener = await openListener({ ...login, clientId: `bench-listener-${index}` }, take);
      await Promise.all([listener.subscribe(memberTopic(index)), listener.subscribe(roomTopic(1))]);
      return listener;
    });
    listeners.push(...(await Promise.all(some)));
  }
  return listeners;
}
