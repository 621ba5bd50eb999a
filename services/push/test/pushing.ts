// The real push and the real history as processes of their own, with a local APNs; api and presence are played, and nobody is connected.
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  type PushPeopleRequest,
  packAppendRequest,
  type StoredReferences,
  streams,
  subjects,
  unpackAppendReply,
} from "@parley/protocol";
import { conversationPartition, conversationPartitions } from "@parley/protocol/partition";
import {
  type AskHolder,
  answerJson,
  type Checkpoint,
  connectRedis,
  createAskHolder,
  type NatsConnection,
  type Redis,
  startHolderLookup,
} from "@parley/runtime";
import {
  type Apns,
  endProcess,
  eventually,
  processEnd,
  serviceContext,
  startApns,
  startServers,
  startServiceProcess,
  type TestContext,
} from "@parley/testkit";
import { keyOf } from "../src/tokens/token.ts";
import { startOthers } from "./others.ts";
import { callerOf, register } from "./registered.ts";

export interface Pushing {
  nats: NatsConnection;
  redis: Redis;
  apns: Apns;
  jetstream: JetStreamManager;
  /** of push's log; errors unless the settings say more */
  lines: Record<string, unknown>[];
  /** `dieAt`: `{point}` or `{point}:{n}`, where it kills itself. */
  start(dieAt?: `${Checkpoint}:${number}`): void;
  /** kill -9; resolves when push is gone. */
  kill(): Promise<void>;
  isDead(): boolean;
  /** Resolves when push is gone: the signal that ended it. */
  died(): Promise<string | null>;
  /** Resolves when push reads what is stored. */
  follows(): Promise<void>;
  /** Resolves when nothing is left to do, of what is stored and of the queue. */
  isIdle(): Promise<void>;
  /** The most memory that the process of push has had so far, in MiB. */
  peakMiB(): number;
  /** A device that is away, with a token of APNs. */
  phone(uid: string, device: string): Promise<Phone>;
  /** Stored; resolves with the last one's seq. */
  say(conv: string, from: string, ...texts: string[]): Promise<number>;
  /** A room is made with these members; the event is its first entry. */
  room(id: string, by: string, uids: string[]): Promise<void>;
}

export interface Phone {
  uid: string;
  clientId: string;
  /** as APNs knows it */
  token: string;
  /** as jobs name it */
  key: string;
}

const appId = "app.parley";

/** `heapMiB`: with more of its own objects than that at once push ends. `settings`: more of push. */
export async function startPushing(
  t: TestContext,
  uids: readonly string[],
  { heapMiB, settings = {} }: { heapMiB?: number; settings?: Record<string, string> } = {},
): Promise<Pushing> {
  const folder = await mkdtemp(join(tmpdir(), "parley-push-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const others = await startOthers(t);
  for (const uid of uids) others.users.add(uid);
  const { nats, natsServer } = others;
  const { redis: redisServer } = await startServers(t, { redis: true });
  const apns = await startApns(t);
  playPeople(nats);
  const redis = await connectRedis({ url: redisServer.url, name: "test", log: serviceContext("test").log });
  const history = askHistory(t, nats, redis);
  const env = {
    ...process.env,
    ...apns.settings,
    NATS_URL: natsServer.url,
    REDIS_URL: redisServer.url,
    PARLEY_DIR: folder,
    PARLEY_LOG_LEVEL: "error",
    ...settings,
    PARLEY_PARENT_PIPE: "true",
    PUSH_DELAY_MS: "50",
  };
  const kept = startServiceProcess("history", { env });
  let push: ChildProcess | undefined;
  t.after(() => Promise.all([kept, push].map((child) => child && endProcess(child))));
  const manager = await jetstreamManager(nats);
  const told = followTold(t, nats);
  const lines: Record<string, unknown>[] = [];
  return {
    ...{ nats, redis, apns, jetstream: manager, lines },
    start(dieAt) {
      const flags = heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`, "--max-semi-space-size=4"];
      push = startServiceProcess("push", { env, dieAt, flags, stdout: "pipe" });
      createInterface({ input: push.stdout! }).on("line", (line) => lines.push(...readLine(line)));
    },
    kill: () => endProcess(push!),
    isDead: () => push!.signalCode !== null || push!.exitCode !== null,
    died: () => processEnd(push!),
    peakMiB: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${push!.pid}/status`, "utf8"))?.[1]) / 1_024,
    ...waitingFor(manager, told),
    phone: (uid, device) => registerPhone(nats, uid, device),
    ...writingTo(history, told),
  };
}

/** None of a line that a kill has cut. */
function readLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}

/** What api says of people, and presence of devices. */
function playPeople(nats: NatsConnection): void {
  const { log } = serviceContext("test");
  const nameOf = ({ by }: { by: string }) => ({ name: by, relation: "contact" });
  const people = ({ asked }: PushPeopleRequest) => ({ people: asked.map(nameOf) });
  answerJson(nats, subjects.pushPeople, "played", people, log);
  answerJson(nats, subjects.pushPresence, "played", () => ({ users: {} }), log);
}

function askHistory(t: TestContext, nats: NatsConnection, redis: Redis): AskHolder {
  const { log } = serviceContext("test");
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  const holder = createAskHolder(nats, holders);
  t.after(() => {
    holder.close();
    holders.close();
    redis.disconnect();
  });
  return holder;
}

let phones = 0;

async function registerPhone(nats: NatsConnection, uid: string, device: string): Promise<Phone> {
  const token = (++phones).toString(16).padStart(64, "0");
  // Until push listens nobody answers.
  await eventually(() => register(nats, callerOf(uid, device), { kind: "apns", token, appId }));
  return { uid, clientId: `${uid}:${device}`, token, key: keyOf({ kind: "apns", appId, token }) };
}

/** What was stored here, and what of it the stream STORED has: history tells of it a little later. */
interface Told {
  expect(conv: string, seq: number): void;
  all(): Promise<void>;
}

function followTold(t: TestContext, nats: NatsConnection): Told {
  const expected = new Map<string, number>();
  const seen = new Map<string, number>();
  let following: Promise<unknown> | undefined;

  async function follow(): Promise<void> {
    const consumer = await jetstream(nats).consumers.get(streams.stored.name);
    const messages = await consumer.consume({
      callback(message) {
        for (const { conv, seq } of message.json<StoredReferences>().entries)
          seen.set(conv, Math.max(seq, seen.get(conv) ?? 0));
      },
    });
    t.after(() => messages.close());
  }

  return {
    expect: (conv, seq) => void expected.set(conv, seq),
    async all() {
      following ??= follow();
      await following;
      await eventually(() => [...expected].every(([conv, seq]) => (seen.get(conv) ?? 0) >= seq));
    },
  };
}

function waitingFor(manager: JetStreamManager, told: Told): Pick<Pushing, "follows" | "isIdle"> {
  const following = () => manager.consumers.info(streams.stored.name, "push");
  return {
    follows: async () => void (await eventually(following)),
    async isIdle() {
      await told.all();
      await eventually(async () => {
        const { num_pending: coming, num_ack_pending: held } = await following();
        const { state } = await manager.streams.info(streams.push.name);
        return coming + held + state.messages === 0;
      });
    },
  };
}

function writingTo(history: AskHolder, told: Told): Pick<Pushing, "say" | "room"> {
  let ids = 0;
  return {
    async say(conv, from, ...texts) {
      const items = texts.map((data) => {
        const id = `m${++ids}`;
        const body = Buffer.from(JSON.stringify({ id, to: conv, content: { type: "text", data } }));
        return { conv, from, device: `${from}:web`, id, type: "text", body };
      });
      const asked = packAppendRequest([{ q: conversationPartition(conv), items }]);
      const seq = await eventually(async () => {
        const group = (await history.bytes("append", conv, asked, unpackAppendReply))[0];
        const outcome = group && "outcomes" in group ? group.outcomes.at(-1) : undefined;
        return outcome && "seq" in outcome ? outcome.seq : undefined;
      });
      told.expect(conv, seq);
      return seq;
    },
    async room(id, by, uids) {
      const event = { event: "create", by, uids, name: id };
      const asked = { conv: `room/${id}`, id: "made", device: "api", origin: "api", event };
      await eventually(() => history.json<object>("change", asked.conv, asked));
    },
  };
}
