// A user with many contacts changes its presence: what it costs, and how long until the last of those connected is told.
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "@parley/testkit";
import { type Contacts, openContacts } from "../contacts.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { type Bench, type Scenario, type Section, sized } from "../scenario.ts";

export const presence: Scenario = {
  does: "a user with 1,000 contacts, 300 of them connected, changes its presence: CPU a change, and until the last is told",
  run: async (bench) => [await measurePresence(bench)],
};

async function measurePresence(bench: Bench): Promise<Section> {
  const cluster = await bench.shared();
  const { count, connected } = sized(bench, { count: 1_000, connected: 300 }, { count: 100, connected: 30 });
  bench.say(`making ${count} contacts of one user, and connecting ${connected}`);
  const contacts = await openContacts(cluster, { count, connected });
  await contacts.change();
  const idle = await idleCpu(bench, cluster);
  const parley = await measure(bench, cluster, idle, () => contacts.change());
  const raw = await measure(bench, cluster, idle, () => contacts.changeRaw());
  await contacts.close();
  bench.say(`a change: ${Math.round(parley.micros)} µs, ${Math.round(parley.medianMs)} ms`);
  const baseline = (value: number) => ({ what: "raw broker", value });
  const parts = [...new Set([...Object.keys(parley.cpu), ...Object.keys(raw.cpu)])];
  return {
    title: "Presence",
    notes: [
      `One user with ${count} contacts, ${connected} of them connected through the edge, changes what it shows; the next change follows when the last contact was told.`,
      "Contacts are told of one user at most once a second, which is in the time. CPU is of all processes but the load generator, without what they use while nothing happens.",
      `The raw broker gets one QoS 0 PUBLISH to each of the ${connected} topics from one connection; the same devices take them, through the edge too.`,
    ],
    figures: [
      { what: "CPU a change", value: parley.micros, unit: "µs", baseline: baseline(raw.micros) },
      { what: "the last is told after, p50", value: parley.medianMs, unit: "ms", baseline: baseline(raw.medianMs) },
      { what: "notices a change", value: parley.notices, unit: "", baseline: baseline(raw.notices) },
    ],
    tables: [
      {
        head: ["", "µs a change", "raw: µs"],
        rows: parts.map((part) => [part, Math.max(0, parley.cpu[part] ?? 0), Math.max(0, raw.cpu[part] ?? 0)]),
      },
    ],
  };
}

/** µs a second, by part. */
async function idleCpu({ seconds }: Bench, cluster: Cluster): Promise<ByPart> {
  const before = cpuMicros(cluster.run().processes);
  await sleep(seconds * 1_000);
  return difference(cpuMicros(cluster.run().processes), before, seconds);
}

async function measure(
  { seconds }: Bench,
  cluster: Cluster,
  idle: ByPart,
  change: Contacts["change"],
): Promise<{ cpu: ByPart; micros: number; medianMs: number; notices: number }> {
  const before = cpuMicros(cluster.run().processes);
  const startedAt = performance.now();
  const took: number[] = [];
  let notices = 0;
  while (performance.now() - startedAt < seconds * 1_000) {
    const at = performance.now();
    notices += await change();
    took.push(performance.now() - at);
  }
  const passed = (performance.now() - startedAt) / 1_000;
  const used = difference(cpuMicros(cluster.run().processes), before);
  const cpu = Object.fromEntries(
    Object.entries(used).map(([part, micros]) => [part, (micros - (idle[part] ?? 0) * passed) / took.length]),
  );
  const { generator: _, ...ours } = cpu;
  const micros = Object.values(ours).reduce((sum, one) => sum + Math.max(0, one), 0);
  const medianMs = took.sort((one, other) => one - other)[Math.floor(took.length / 2)] ?? 0;
  return { cpu, micros, medianMs, notices: notices / took.length };
}
