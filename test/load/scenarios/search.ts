// Searching 1,000,000 messages: how long a page takes, and how large the index is by the text of the messages.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { callHttp } from "@parley/client";
import { conversationsList, searchMessages } from "@parley/protocol";
import { type Cluster, eventually } from "@parley/testkit";
import { fillLog, openHistory, type Talk } from "../fill.ts";
import { logIn, makeKey, makeUsers } from "../people.ts";
import { type Bench, type Scenario, type Section, sized } from "../scenario.ts";
import { makeWords, type Words } from "../words.ts";

const targetMs = 50;
const targetSize = 2;
const times = 400;
const buildLimitMs = 30 * 60_000;
const settled = 2_000;
/** Who asks: the first talks with few others, the second with everybody. */
const people = { few: "searcher", all: "collector" } as const;
const fewTalks = 20;

export const search: Scenario = {
  does: "1,000,000 messages indexed, then searched by words, beginnings, phrases and Chinese",
  run: async (bench) => [await measureSearch(bench)],
};

async function measureSearch(bench: Bench): Promise<Section> {
  const messages = sized(bench, 1_000_000, 20_000);
  const each = sized(bench, 1_000, 100);
  const conversations = messages / each;
  const words = makeWords();
  let textBytes = 0;
  const nextText = () => {
    const text = words.text();
    textBytes += Buffer.byteLength(text);
    return text;
  };
  const fill = async (storeUrl: string) => {
    const store = await openHistory(storeUrl);
    bench.say(`filling the store: ${messages} messages in ${conversations} conversations`);
    await fillLog(store.log(), talksOf(conversations, each), nextText).finally(() => store.close());
  };
  return bench.withCluster({ fill, env: { API_RATE: "100000", API_BURST: "100000" } }, async (cluster) => {
    const key = await makeKey(cluster);
    const { http } = cluster.run();
    await makeUsers(http, key, Object.values(people));
    const begun = performance.now();
    const tokens = new Map<string, string>();
    for (const uid of Object.values(people)) tokens.set(uid, (await logIn(http, key, uid)).token);
    const isBuilt = async () => {
      const found = await callHttp(http, searchMessages, { query: "xx" }, { token: tokens.get(people.all)! });
      return !found.incomplete;
    };
    await eventually(() => isBuilt().catch(() => false), { timeoutMs: buildLimitMs, intervalMs: 500 });
    const seconds = (performance.now() - begun) / 1_000;
    bench.say(`${messages} messages indexed in ${seconds.toFixed(0)} s`);
    // What is left to do behind the build: the index made one piece.
    await new Promise((resolve) => setTimeout(resolve, settled));
    const bytes = await indexBytes(cluster);
    const asked = await askAll(bench, { http, tokens, words });
    const page = await p99(times, () =>
      callHttp(http, conversationsList, { limit: 1 }, { token: tokens.get(people.few)! }),
    );
    const size = bytes / textBytes;
    const target = { text: `≤ ${targetMs} ms`, met: bench.quick ? undefined : asked.p99 <= targetMs };
    return {
      title: "Search",
      notes: [
        `${messages} messages of 4 to 24 words (15 % of them Chinese), ${(textBytes / messages).toFixed(0)} bytes of text each, in ${conversations} conversations; the log holds them before the cluster starts, and search builds its index of it.`,
        `${times} searches of each kind by HTTP, one after the other, with their messages: of a user in ${fewTalks} conversations, and of one in all of them.`,
      ],
      figures: [
        {
          what: "search, p99 of all",
          value: asked.p99,
          unit: "ms",
          baseline: { what: "one conversation listed, p99", value: page },
          target,
        },
        {
          what: "index on disk",
          value: bytes / 1e6,
          unit: "MB",
          baseline: { what: "text of the messages", value: textBytes / 1e6 },
          target: { text: `≤ ${targetSize} ×`, met: bench.quick ? undefined : size <= targetSize },
        },
      ],
      tables: [
        { head: ["", "p50 ms", "p99 ms"], rows: asked.rows },
        { head: ["", "messages/s"], rows: [["index built from the log", messages / seconds]] },
      ],
    };
  });
}

// Everybody whom the first one talks with is in a talk with the second one too.
function talksOf(conversations: number, messages: number): Talk[] {
  return Array.from({ length: conversations }, (_, at) => ({
    a: at < fewTalks ? people.few : `other${at}`,
    b: people.all,
    messages,
  })).map((talk, at) => (at === 0 || at >= fewTalks ? talk : { ...talk, b: `friend${at}` }));
}

async function askAll(
  bench: Bench,
  { http, tokens, words }: { http: string; tokens: ReadonlyMap<string, string>; words: Words },
) {
  const beginning = () => {
    const word = words.word();
    return word.length > 3 ? `${word.slice(0, 3)}*` : word;
  };
  const kinds: [string, () => string][] = [
    ["a word", words.word],
    ["two words", () => `${words.word()} ${words.word()}`],
    ["two words in a row", () => `"${words.word()} ${words.word()}"`],
    ["a beginning of three letters", beginning],
    ["one Chinese character", () => words.characters(1)],
    ["two Chinese characters", () => words.characters(2)],
  ];
  const rows: [string, number, number][] = [];
  const all: number[] = [];
  for (const [who, uid] of Object.entries(people))
    for (const [kind, query] of kinds) {
      const took: number[] = [];
      for (let asked = 0; asked < times / kinds.length; asked += 1) {
        const begun = performance.now();
        await callHttp(http, searchMessages, { query: query() }, { token: tokens.get(uid)! });
        took.push(performance.now() - begun);
      }
      all.push(...took);
      rows.push([`${kind}, in ${who === "few" ? fewTalks : "all"}`, at(took, 0.5), at(took, 0.99)]);
      bench.say(`${kind}, ${who}: ${at(took, 0.99).toFixed(1)} ms at p99`);
    }
  return { p99: at(all, 0.99), rows };
}

async function p99(count: number, work: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let done = 0; done < count; done += 1) {
    const begun = performance.now();
    await work();
    took.push(performance.now() - begun);
  }
  return at(took, 0.99);
}

function at(took: readonly number[], share: number): number {
  return took.toSorted((a, b) => a - b)[Math.floor(took.length * share)] ?? 0;
}

async function indexBytes({ dir }: Cluster): Promise<number> {
  const folder = join(dir, "data/search");
  const files = (await readdir(folder)).filter((name) => name.startsWith("search-"));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
