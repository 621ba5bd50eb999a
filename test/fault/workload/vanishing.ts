// Two people of whom one writes messages that disappear among others that stay, and the other one looks all the time.
import { callHttp, connectParley, type ParleyClient } from "@parley/client";
import {
  conversationsList,
  historyGet,
  type Method,
  type ParamsOf,
  p2pConv,
  type ResultOf,
  searchMessages,
  sync,
} from "@parley/protocol";
import { type Cluster, eventually } from "@parley/testkit";
import type { Glimpse, Life, Remains, Vanishing } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import { connectDevice, type Device } from "./device.ts";
import { makePeople, patiently } from "./people.ts";
import { remainsOf } from "./remains.ts";
import { startSpeaking } from "./speaking.ts";
import { wait } from "./wait.ts";

export interface Disappearing {
  unanswered(): number;
  stopNew(): void;
  /** All is read, and the time of the last one over. */
  finish(): Promise<void>;
  record(): Promise<Vanishing>;
  stop(): void;
  close(): Promise<void>;
}

const sayEveryMs = 250;
const lookEveryMs = 700;
const readEveryMs = 3_000;
const shownMessages = 100;
const longestSeconds = 4;
const endedWithinMs = 60_000;

type Call = <M extends Method>(method: M, params: ParamsOf<M>) => Promise<ResultOf<M>>;

export async function startVanishing(cluster: Cluster, name: string, random: Random): Promise<Disappearing> {
  const base = cluster.run().http;
  const people = await makePeople(cluster, `${name}fades-`, 2);
  const [reader = "", sender = ""] = people.uids;
  const conv = p2pConv(reader, sender);
  const recalled = new Set<number>();
  const listener = await connectDevice({
    session: await people.login(reader, "phone"),
    version: 5,
    onPacket({ conv: of, content }) {
      const { type, seq } = (content ?? {}) as { type?: string; seq?: number };
      if (of === conv && type === "recall" && seq !== undefined) recalled.add(seq);
    },
  });
  const { token } = await people.login(reader, "http");
  const call: Call = (method, params) => patiently(() => callHttp(base, method, params, { token }));
  const sdk = await connectParley({ url: base, session: await people.login(reader, "sdk") });
  const lives = new Map<string, Life>();
  const speaking = await startSpeaking({
    session: await people.login(sender, "phone"),
    everyMs: sayEveryMs,
    final: [],
    say: (id, n) => ({ to: `user/${reader}`, content: { type: "text", data: id }, ...lifeOf(id, n) }),
  });
  function lifeOf(id: string, n: number): object {
    if (n % 2 === 0) return {};
    const life: Life = { seconds: 1 + random.below(longestSeconds), from: n % 4 === 1 ? "sent" : "read" };
    lives.set(id, life);
    return { expires: life.seconds, ...(life.from === "read" ? { expiresFrom: "read" } : {}) };
  }
  const looking = startLooking(conv, call);
  const reading = startReading(listener, conv, () => lastSeqOf(speaking.said));
  return {
    unanswered: speaking.unanswered,
    stopNew: speaking.stopNew,
    async finish() {
      reading.stop();
      const last = lastSeqOf(speaking.said);
      const isRead = async () => {
        reading.read(last);
        const { conversations } = await call(conversationsList, {});
        return conversations.some((one) => one.conv === conv && one.readSeq >= last);
      };
      await eventually(isRead, { timeoutMs: endedWithinMs, intervalMs: 1_000 }).catch(() => undefined);
      await wait(longestSeconds * 1_000, new AbortController().signal);
      looking.stop();
    },
    async record() {
      const isOver = async () => {
        const last = await readAll(call, conv);
        const ended = new Set(last.filter((one) => one.ended).map(({ seq }) => seq));
        const waiting = speaking.said.some(({ id, place }) => place && lives.has(id) && !ended.has(place.seq));
        return waiting ? undefined : last;
      };
      const last = await eventually(isOver, { timeoutMs: endedWithinMs, intervalMs: 1_000 }).catch(() => undefined);
      return {
        said: speaking.said,
        lives,
        reads: reading.reads,
        glimpses: looking.glimpses,
        last: last ?? (await readAll(call, conv)),
        recalled,
        cached: cachedOf(sdk, conv),
      };
    },
    stop() {
      speaking.stop();
      looking.stop();
      reading.stop();
    },
    async close() {
      await Promise.all([listener.close(), speaking.close(), sdk.close()]);
    },
  };
}

function lastSeqOf(said: Vanishing["said"]): number {
  return Math.max(0, ...said.map(({ place }) => place?.seq ?? 0));
}

function startLooking(conv: string, call: Call) {
  const glimpses: Glimpse[] = [];
  const stopping = new AbortController();
  const looks: Record<Glimpse["what"], () => Promise<Pick<Glimpse, "from" | "ids">>> = {
    async history() {
      const { messages } = await call(historyGet, { conv, limit: shownMessages });
      return { from: messages[0]?.seq, ids: shownIn(messages) };
    },
    async sync() {
      const { lastSeq } = await call(historyGet, { conv, limit: 1 });
      const after = Math.max(0, lastSeq - shownMessages);
      const { conversations } = await call(sync, { cursors: { [conv]: after }, limit: 500 });
      const messages = conversations.find((one) => one.conv === conv)?.messages ?? [];
      return { from: messages[0]?.seq, ids: shownIn(messages) };
    },
    async search() {
      const { results } = await call(searchMessages, { query: `phone in:${conv}`, limit: 100 });
      return { from: undefined, ids: shownIn(results.map(({ message }) => message)) };
    },
  };
  const done = (async () => {
    while (!stopping.signal.aborted)
      for (const what of ["history", "sync", "search"] as const) {
        await wait(lookEveryMs, stopping.signal);
        const askedAt = performance.now();
        const seen = await looks[what]().catch(() => undefined);
        if (seen) glimpses.push({ what, askedAt, answeredAt: performance.now(), ...seen });
      }
  })();
  void done;
  return { glimpses, stop: () => stopping.abort() };
}

function shownIn(messages: readonly Parameters<typeof remainsOf>[0][]): Set<string> {
  return new Set(messages.map(remainsOf).flatMap(({ text }) => text ?? []));
}

/** Reads up to what was acknowledged, now and then. */
function startReading(device: Device, conv: string, last: () => number) {
  const reads: { seq: number; at: number }[] = [];
  const read = (seq: number) => {
    if (seq > (reads.at(-1)?.seq ?? 0)) reads.push({ seq, at: performance.now() });
    device.publish(device.topics.publish.receipt, JSON.stringify({ conv, read: seq }));
  };
  const timer = setInterval(() => last() > 0 && device.connectedAt() !== undefined && read(last()), readEveryMs);
  return { reads, read, stop: () => clearInterval(timer) };
}

async function readAll(call: Call, conv: string): Promise<Remains[]> {
  const messages: Remains[] = [];
  for (;;) {
    const page = await call(historyGet, { conv, after: messages.at(-1)?.seq ?? 0, limit: 500 });
    messages.push(...page.messages.map(remainsOf));
    if (!page.more) return messages;
  }
}

function cachedOf(client: ParleyClient, conv: string): Set<string> {
  return shownIn(client.conversation(conv)?.messages ?? []);
}
