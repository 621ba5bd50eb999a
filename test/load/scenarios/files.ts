// Files through api, to and from the disk, beside a server of node:http that copies the same; and api's memory meanwhile.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Attachment } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import { logIn, makeKey, makeUsers } from "../people.ts";
import { residentMiB } from "../processes.ts";
import { type Bench, type Figure, type Scenario, type Section, sized } from "../scenario.ts";
import { fetchFile, removeFile, send } from "../transfer.ts";

const rounds = 5;
const sampleMs = 50;
const leastShare = 0.5;
/** A stream's buffers and what waits for the garbage collector; a file held in memory is ten times as much. */
const flatMiB = 200;
const uid = "sender";

export const files: Scenario = {
  does: "a file of 256 MiB up and down beside a bare node:http server, and api's memory with 2 GB",
  run: async (bench) => [await measureFiles(bench)],
};

type Way = { up: number[]; down: number[] };
type Ways = Record<"parley" | "plain" | "synced", Way>;

async function measureFiles(bench: Bench): Promise<Section> {
  const bytes = sized(bench, 256, 16) * 1024 ** 2;
  const large = sized(bench, 2e9, 1e8);
  return bench.withCluster({ env: { API_UPLOAD_DAY_BYTES: "1000000000000" } }, async (cluster) => {
    const { http } = cluster.run();
    const key = await makeKey(cluster);
    await makeUsers(http, key, [uid]);
    const { token } = await logIn(http, key, uid);
    const fresh = residentMiB(cluster.run().processes).api ?? 0;
    const found = await measureSpeed(bench, { http, token, bytes });
    const memory = { fresh, ...(await measureMemory(bench, cluster, { http, token, bytes: large })) };
    return sectionOf(bench, { found, memory, bytes, large });
  });
}

interface Asked {
  http: string;
  token: string;
  bytes: number;
}

// By turns, so that a poorer minute is everybody's.
async function measureSpeed(bench: Bench, { http, token, bytes }: Asked): Promise<Ways> {
  const bare = await startBare();
  const found: Ways = { parley: { up: [], down: [] }, plain: { up: [], down: [] }, synced: { up: [], down: [] } };
  try {
    for (let round = 0; round < sized(bench, rounds, 1); round += 1) {
      for (const kind of ["plain", "synced"] as const) {
        const url = `${bare.url}/${kind}/file${round}`;
        found[kind].up.push((await send(url, bytes)).megabytes);
        found[kind].down.push((await fetchFile(url, bytes)).megabytes);
        await removeFile(url);
      }
      const { up, down } = await throughApi({ http, token, bytes });
      found.parley.up.push(up);
      found.parley.down.push(down);
      bench.say(`up ${Math.round(up)}, down ${Math.round(down)} MB/s`);
    }
    return found;
  } finally {
    await bare.close();
  }
}

async function throughApi({ http, token, bytes }: Asked): Promise<{ up: number; down: number }> {
  const sent = await send(`${http}/attachments`, bytes, token);
  const { url } = JSON.parse(String(sent.body)) as Attachment;
  const { megabytes: down } = await fetchFile(new URL(url, http).href, bytes, token);
  return { up: sent.megabytes, down };
}

interface Memory {
  /** MiB, before any file */
  fresh: number;
  before: number;
  most: number;
  after: number;
}

async function measureMemory(bench: Bench, cluster: Cluster, asked: Asked): Promise<Omit<Memory, "fresh">> {
  const resident = () => residentMiB(cluster.run().processes).api ?? 0;
  const before = resident();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, resident());
  }, sampleMs);
  try {
    await throughApi(asked);
  } finally {
    clearInterval(sampling);
  }
  await sleep(sized(bench, 2_000, 100));
  return { before, most, after: resident() };
}

async function startBare(): Promise<{ url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "parley-bare-"));
  const program = join(import.meta.dirname, "../bare-files.ts");
  const child = fork(program, [folder], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [port] = await once(child, "message");
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function sectionOf(
  { quick }: Bench,
  { found, memory, bytes, large }: { found: Ways; memory: Memory; bytes: number; large: number },
): Section {
  const speed = (what: string, way: keyof Way): Figure => {
    const [value, plain] = [middle(found.parley[way]), middle(found.plain[way])];
    const met = quick ? undefined : value / plain >= leastShare;
    return {
      ...{ what, value, unit: "MB/s", baseline: { what: "bare node:http, not synced", value: plain } },
      target: { text: `≥ ${leastShare * 100} %`, met },
    };
  };
  return {
    title: "Files",
    notes: [
      `A file of ${bytes / 1024 ** 2} MiB, its bytes new each time, up and down by turns; the middle one counts. api looks at its kind, hashes it, and has it on disk before it answers.`,
      `Then ${large / 1e9} GB up and down, and the memory of api meanwhile.`,
    ],
    figures: [
      speed("upload", "up"),
      speed("download", "down"),
      {
        ...{ what: `api's memory with ${large / 1e9} GB, at most`, value: memory.most, unit: "MiB" },
        baseline: { what: "before it", value: memory.before },
        target: {
          text: `at most ${flatMiB} MiB more`,
          met: quick ? undefined : memory.most - memory.before <= flatMiB,
        },
      },
    ],
    tables: [
      {
        head: ["MB/s, middle (least to most)", "up", "down"],
        rows: Object.entries(found).map(([name, { up, down }]) => [
          names[name as keyof Ways],
          spread(up),
          spread(down),
        ]),
      },
      {
        head: ["api's memory, MiB", "before any file", `before ${large / 1e9} GB`, "at most", "2 s after"],
        rows: [["", memory.fresh, memory.before, memory.most, memory.after]],
      },
    ],
  };
}

const names: Record<keyof Ways, string> = {
  parley: "Parley",
  plain: "bare node:http",
  synced: "bare node:http, synced before it answers",
};

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function spread(values: readonly number[]): string {
  return `${Math.round(middle(values))} (${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))})`;
}
