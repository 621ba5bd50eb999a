// Catching up: 10,000 missed messages, as the SDK asks for them, against reading the same rows from the store alone.
import { callHttp, connectParley } from "@parley/client";
import { sync as syncMethod } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import { type SyncParts, syncAll } from "../../../packages/client/src/sync.ts";
import { openDevice } from "../device.ts";
import type { Session } from "../people.ts";
import { type Reader, readRaw, withReaders } from "../reader.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";
import { type Took, timed } from "../timing.ts";

const targetMs = 250;
const times = 7;

export const sync: Scenario = {
  does: "10,000 missed messages by sync, against reading the same rows from the store alone",
  run: async (bench) => [await measureSync(bench)],
};

async function measureSync(bench: Bench): Promise<Section> {
  const messages = sized(bench, 10_000, 2_000);
  const readers: Reader[] = [
    { uid: "sync-one", conversations: 1, messages },
    { uid: "sync-some", conversations: 20, messages },
    { uid: "sync-many", conversations: 1_000, messages },
  ];
  const figures: Figure[] = [];
  const rows: Table["rows"][number][] = [];
  await withReaders(
    bench,
    readers,
    async (store) => {
      const raw = new Map<string, Took>();
      for (const reader of readers) raw.set(reader.uid, await readRaw(store, reader, times));
      return raw;
    },
    async (cluster, sessions, raw) => {
      for (const reader of readers) {
        const took = await catchUp(cluster, reader, sessions.get(reader.uid) as Session);
        const baseline = { what: "rows from the store", value: raw.get(reader.uid)?.median ?? 0 };
        for (const [way, { median, first, worst }] of Object.entries(took)) {
          const what = `${messages} in ${reader.conversations}, ${way}`;
          bench.say(`${what}: ${Math.round(median)} ms`);
          const met = bench.quick ? undefined : median <= targetMs;
          const target = { text: `≤ ${targetMs} ms`, met };
          figures.push({ what, value: median, unit: "ms", baseline, ...(way === "SDK" ? {} : { target }) });
          rows.push([what, first, worst]);
        }
      }
    },
  );
  return {
    title: "Sync",
    notes: [
      `A device with no cursors asks until it has all of its ${messages} messages (300 bytes each as delivered), in 1, 20 or 1,000 conversations; middle of ${times}.`,
      "By MQTT: requests on its rpc topic through the edge, as the SDK does. By HTTP: POST /sync. Pages of at most 500 messages a conversation and 256 KiB, parsed as JSON.",
      "SDK: from the TCP connect until `connectParley` has shown every message.",
      "The baseline reads the same rows from the store, in pages of the same size, with no service running.",
    ],
    figures,
    tables: [{ head: ["", "first ms", "worst ms"], rows }],
  };
}

async function catchUp(cluster: Cluster, reader: Reader, session: Session): Promise<Record<string, Took>> {
  const { http } = cluster.run();
  const { token, uid } = session;
  const byHttp = await timed(times, () =>
    readAll(reader, (params) => callHttp(http, syncMethod, params, { token, timeoutMs: 60_000 })),
  );
  const device = await openDevice(cluster, uid, token);
  const byMqtt = await timed(times, () => readAll(reader, (params) => device.ask(syncMethod, params)));
  await device.close();
  const sdk = await timed(times, async () => {
    const client = await connectParley({ url: http, session, sendDelivered: false });
    await client.close();
  });
  return { MQTT: byMqtt, HTTP: byHttp, SDK: sdk };
}

async function readAll({ messages, uid }: Reader, ask: SyncParts["ask"]): Promise<void> {
  const cursors: Record<string, number> = {};
  let got = 0;
  await syncAll({
    ask,
    cursors: () => cursors,
    apply(conversation) {
      got += conversation.messages.length;
      const last = conversation.messages.at(-1);
      if (last) cursors[conversation.conv] = last.seq;
    },
    limit: 500,
  });
  if (got !== messages) throw new Error(`sync of ${uid} answered ${got} messages of ${messages}`);
}
