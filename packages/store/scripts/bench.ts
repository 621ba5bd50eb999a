// Measures the engine behind STORE_URL: append in batches, one message alone, the idempotency look-up, and a steady rate.
// node packages/store/scripts/bench.ts [--url sqlite:/tmp/bench] [--rows 300000] [--batch 100] [--conversations 1000]
//   [--rate 2000] [--seconds 30]
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type LogEntry, type MessageLog, openStore } from "../src/index.ts";

const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    rows: { type: "string", default: "300000" },
    batch: { type: "string", default: "100" },
    conversations: { type: "string", default: "1000" },
    rate: { type: "string", default: "2000" },
    seconds: { type: "string", default: "30" },
  },
});
const rows = Number(options.rows);
const batchSize = Number(options.batch);
const body = new Uint8Array(300).fill(0x61);
const positions = new Map<number, number>();
const conversations = Array.from({ length: Number(options.conversations) }, (_, n) => {
  const conv = `p2p/user${n}/user${n + 1}`;
  return { conv, from: `user${n}`, q: createHash("md5").update(conv).digest()[0]!, seq: 0 };
});
const byPartition = Map.groupBy(conversations, ({ q }) => q);
const partitions = [...byPartition.keys()];
let made = 0;

function nextEntry(q: number): LogEntry {
  const known = byPartition.get(q)!;
  const conversation = known[Math.floor(Math.random() * known.length)]!;
  const pos = (positions.get(q) ?? 0) + 1;
  positions.set(q, pos);
  conversation.seq++;
  made++;
  const { conv, from, seq } = conversation;
  const id = `01J${(1e12 + made).toString(36).toUpperCase().padStart(9, "0")}${Math.random().toString(36).slice(2, 14)}`;
  const fixed = { type: "text", ts: Date.now(), origin: null, event: null, memberSeq: 0, body };
  return { q, pos, conv, seq, ord: seq, from, device: `${from}:phone`, id, ...fixed };
}

const entriesOf = (q: number, count: number) => Array.from({ length: count }, () => nextEntry(q));

function show(what: string, samples: number[]): void {
  samples.sort((a, b) => a - b);
  const at = (share: number) => samples[Math.min(samples.length - 1, Math.floor(samples.length * share))]!.toFixed(2);
  console.log(`${what}: ms p50 ${at(0.5)} p99 ${at(0.99)} p99.9 ${at(0.999)} max ${at(1)}`);
}

async function appendMany(log: MessageLog, what: string, groups: number, size: number, total: number): Promise<void> {
  const samples: number[] = [];
  let spentMs = 0;
  let cpuMicros = 0;
  for (let done = 0; done < total; done += groups * size) {
    const batches = Array.from({ length: groups }, (_, n) => partitions[(done / size + n) % partitions.length]!).map(
      (q) => ({ q, batch: entriesOf(q, size) }),
    );
    const begun = performance.now();
    const before = process.cpuUsage();
    await Promise.all(batches.map(({ q, batch }) => log.append(q, batch)));
    samples.push(performance.now() - begun);
    spentMs += samples.at(-1)!;
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
  }
  const rate = Math.round((total / spentMs) * 1000);
  show(`${what}: ${rate} rows/s, ${(cpuMicros / total).toFixed(1)} µs of CPU a row, a commit`, samples);
}

async function findMissing(log: MessageLog, count: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, n) => {
    const { conv, from } = conversations[n % conversations.length]!;
    return { conv, from, device: `${from}:phone`, id: `01J${Math.random().toString(36).slice(2)}` };
  });
  const begun = performance.now();
  for (let at = 0; at < count; at += batchSize) await log.find(keys.slice(at, at + batchSize));
  console.log(`find of a missing key: ${(((performance.now() - begun) * 1000) / count).toFixed(2)} µs`);
}

/** Single appends at a steady rate: what one waits, from the moment it was due. */
async function appendSteadily(log: MessageLog, rate: number, seconds: number): Promise<void> {
  const samples: number[] = [];
  const appending: Promise<void>[] = [];
  const begun = performance.now();
  while (appending.length < rate * seconds) {
    const due = Math.min(rate * seconds, ((performance.now() - begun) * rate) / 1_000);
    while (appending.length < due) {
      const dueAt = begun + (appending.length * 1_000) / rate;
      const q = partitions[appending.length % partitions.length]!;
      appending.push(log.append(q, [nextEntry(q)]).then(() => void samples.push(performance.now() - dueAt)));
    }
    await delay(1);
  }
  await Promise.all(appending);
  show(`${rate} single appends a second for ${seconds} s`, samples);
}

const folder = mkdtempSync(join(process.cwd(), ".bench-"));
const store = await openStore(options.url ?? `sqlite:${folder}`, { service: "bench", lockWaitMs: 0 });
try {
  const log = store.log();
  console.log(`${rows} rows, ${conversations.length} conversations, bodies of ${body.length} bytes`);
  await appendMany(log, `batches of ${batchSize}, one partition each`, 1, batchSize, rows);
  await appendMany(
    log,
    `${batchSize} partitions at once, one row each`,
    Math.min(batchSize, partitions.length),
    1,
    rows / 3,
  );
  await appendMany(log, "one message alone", 1, 1, 3_000);
  await findMissing(log, 100_000);
  await appendSteadily(log, Number(options.rate), Number(options.seconds));
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}
