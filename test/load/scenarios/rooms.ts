// Rooms: one sender, everybody else receives; a copy a member against one PUBLISH a member on the raw broker.
import type { Cluster } from "@parley/testkit";
import type { Mode } from "../pairs.ts";
import { makeRoom } from "../people.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { openRoom } from "../room.ts";
import { saturate } from "../saturate.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";

const maxInFlight = 1_000;
const least = 0.6;
const connections = 20;

/** Enough messages at once that neither side ever waits for the other. */
const sizes = [
  { members: 100, inFlight: 50 },
  { members: 1_000, inFlight: 8 },
];

export const rooms: Scenario = {
  does: "1 → 100 and 1 → 1,000 members against one QoS 1 PUBLISH a member on the raw broker",
  run: async (bench) => [await measureRooms(bench)],
};

async function measureRooms(bench: Bench): Promise<Section> {
  const cluster = await bench.shared();
  const figures: Figure[] = [];
  const rows: Table["rows"][number][] = [];
  for (const { members, inFlight } of sizes) {
    const count = sized(bench, members, members / 5);
    bench.say(`making a room of ${count}`);
    const { room, uids } = await makeRoom(cluster, count);
    const { raw, parley } = await inTurns(bench, cluster, { room, uids, inFlight });
    bench.say(`1 → ${count}: ${Math.round(parley.copies)} copies/s (raw ${Math.round(raw.copies)})`);
    const baseline = { what: "raw broker", value: raw.copies };
    const met = bench.quick ? undefined : parley.copies >= least * raw.copies;
    figures.push({
      what: `1 → ${count}, copies delivered`,
      value: parley.copies,
      unit: "/s",
      baseline,
      target: { text: "≥ 60 %", met },
    });
    rows.push([
      `1 → ${count}`,
      parley.messages,
      raw.messages,
      ...parts.map((part) => parley.cpu[part] ?? 0),
      raw.cpu.mosquitto ?? 0,
      raw.cpu.generator ?? 0,
    ]);
  }
  return {
    title: "Rooms",
    notes: [
      `One device sends, ${sizes.map(({ members, inFlight }) => `${inFlight} messages in flight to ${members}`).join(", ")}; every member has a subscription of its own.`,
      `The members' subscriptions share ${connections} connections, on the broker itself, in both columns; at most ${maxInFlight} copies are without PUBACK.`,
      "Raw and Parley are measured by turns, three times each; the figures are the sums.",
      "The raw broker gets one QoS 1 PUBLISH to each member's topic from one connection and stores nothing.",
    ],
    figures,
    tables: [
      {
        head: [
          "",
          "messages/s",
          "raw messages/s",
          ...parts.map((part) => `${part} µs a copy`),
          "raw: mosquitto",
          "raw: generator",
        ],
        rows,
      },
    ],
  };
}

const parts = ["mosquitto", "router", "history", "nats-server", "generator"];

interface Shape {
  room: string;
  uids: readonly string[];
  inFlight: number;
}

interface Sum {
  messages: number;
  copies: number;
  seconds: number;
  cpu: ByPart;
}

// Raw and Parley by turns: the machine's own speed changes from minute to minute.
async function inTurns(bench: Bench, cluster: Cluster, shape: Shape) {
  const sums = { raw: emptySum(), parley: emptySum() };
  const rounds = sized(bench, 3, 1);
  for (let round = 0; round < rounds; round++)
    for (const mode of ["raw", "parley"] as const) await measureRoom(bench, cluster, mode, shape, sums[mode]);
  return { raw: perSecond(sums.raw), parley: perSecond(sums.parley) };
}

async function measureRoom(
  { seconds, warmupSeconds }: Bench,
  cluster: Cluster,
  mode: Mode,
  { room, uids, inFlight }: Shape,
  sum: Sum,
): Promise<void> {
  const { broker: url } = cluster.wiring.urls;
  const password = cluster.servicesSecret;
  const pair = await openRoom({ mode, url, password, room, uids, connections, maxInFlight });
  const sample = () => ({ copies: pair.copies(), cpu: cpuMicros(cluster.run().processes) });
  const found = await saturate([pair], { inFlight, warmupSeconds, seconds, sample });
  await pair.close();
  const { before, after } = found;
  sum.messages += found.messages;
  sum.copies += after.copies - before.copies;
  sum.seconds += found.seconds;
  for (const [part, micros] of Object.entries(difference(after.cpu, before.cpu)))
    sum.cpu[part] = (sum.cpu[part] ?? 0) + micros;
}

function perSecond({ messages, copies, seconds, cpu }: Sum) {
  return { messages: messages / seconds, copies: copies / seconds, cpu: difference(cpu, {}, copies) };
}

function emptySum(): Sum {
  return { messages: 0, copies: 0, seconds: 0, cpu: {} };
}
