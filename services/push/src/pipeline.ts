// From what is stored to the providers: the followers, the queue, and a worker for each provider that has settings.
import { createTurns, type PushProvider, pushProviders } from "@parley/protocol";
import {
  type AskHolder,
  askMembers,
  createAskHolder,
  createMembers,
  followMembersChanged,
  gauge,
  type HolderLookup,
  type NatsConnection,
  type Redis,
  type ServiceContext,
} from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { askPresence } from "./follow/ask-presence.ts";
import type { Told } from "./follow/decide-jobs.ts";
import { followStoredMessages } from "./follow/follow.ts";
import { answerNotices } from "./follow/notices.ts";
import { notifyOf } from "./follow/notify.ts";
import { followReadOn } from "./follow/read-on.ts";
import { createWhom } from "./follow/whom.ts";
import { ringMs } from "./payload/urgency.ts";
import type { Outgoing, Sender } from "./providers/outgoing.ts";
import { answerReplay } from "./queue/answer-replay.ts";
import { openDeadLetters } from "./queue/dead-letters.ts";
import { createEnqueue } from "./queue/enqueue.ts";
import { watchQueues } from "./queue/lengths.ts";
import { openMarks } from "./queue/marks.ts";
import type { Settings } from "./settings.ts";
import type { Tokens } from "./tokens/tokens.ts";
import { createAsk } from "./work/ask.ts";
import { openBreakers } from "./work/breakers.ts";
import { openPushMetrics, type PushMetrics } from "./work/metrics.ts";
import { type PrepareParts, prepare } from "./work/prepare.ts";
import { sendJobs } from "./work/send-jobs.ts";
import { startWorker, type Worker } from "./work/worker.ts";

export interface PipelineParts extends Pick<ServiceContext, "log" | "metrics" | "pass"> {
  nats: NatsConnection;
  redis: Redis;
  holders: HolderLookup;
  tokens: Pick<Tokens, "ofUsers" | "get" | "remove">;
  settingsOf: Settings["ofUsers"];
  /** of providers without settings there is none */
  senders: Partial<Record<PushProvider, Sender>>;
  /** ms that a message may be read before anybody is notified */
  delayMs: number;
  /** ms that a notification is of use */
  ttlMs: number;
}

const membersPatience = { allMs: 1_000, answerMs: 1_000 };
/** jobs of a provider that this process remembers to have sent */
const sentHereMax = 20_000;

/** Close finishes what is in hand and gives back the rest. */
export function startPipeline(parts: PipelineParts): { close(): Promise<void> } {
  const { nats, redis, holders, senders, ttlMs, metrics, log } = parts;
  const askHolder = createAskHolder(nats, holders);
  const members = createMembers((asked) => askMembers(impatient(askHolder), asked));
  const marks = openMarks(redis, log);
  const enqueue = createEnqueue(nats);
  const isExpired = ({ kind, at }: { kind: string; at: number }) =>
    Date.now() - at > (kind === "call" ? ringMs : ttlMs);
  const deadLetters = openDeadLetters({ ...parts, enqueue, isExpired });
  const following = startFollowing({ ...parts, marks, enqueue, whom: createWhom(members) });
  const shared = { ...parts, marks, enqueue, deadLetters, metrics: openPushMetrics(metrics) };
  const workers = pushProviders.flatMap((provider): Worker[] => {
    const sender = senders[provider] as Sender<Outgoing> | undefined;
    return sender ? [workFor({ ...shared, provider, sender })] : [];
  });
  const queues = watchQueues(
    nats,
    pushProviders.filter((provider) => senders[provider]),
    log,
  );
  gauge(metrics, "push_queue", "messages of a provider's queue that are not done", queues.last, "provider");
  const replaying = answerReplay(nats, deadLetters, queues, log);
  const others = [followMembersChanged(nats, members), replaying, queues];
  return {
    async close() {
      // Together, as a process has ten seconds for all of its end.
      await Promise.all([...following, ...others, ...workers].map((one) => one.close()));
      askHolder.close();
    },
  };
}

/** What is stored comes again, and others' messages stand behind one whose history is silent. */
function impatient({ json }: AskHolder): Pick<AskHolder, "json"> {
  return { json: (verb, conv, body) => json(verb, conv, body, membersPatience) };
}

type FollowingParts = PipelineParts & {
  marks: ReturnType<typeof openMarks>;
  enqueue: ReturnType<typeof createEnqueue>;
  whom: ReturnType<typeof createWhom>;
};

function startFollowing(parts: FollowingParts): { close(): Promise<void> }[] {
  const { nats, tokens, senders, log } = parts;
  const notifying = {
    ...parts,
    tokensOf: tokens.ofUsers,
    presenceOf: (uids: readonly string[]) => askPresence(nats, uids),
    isOn: (provider: PushProvider) => senders[provider] !== undefined,
  };
  const notify = (told: Told[]) => notifyOf(notifying, [told]);
  return [followStoredMessages(notifying), followReadOn(nats, notify, log), answerNotices(nats, notify, log)];
}

interface WorkParts extends Omit<FollowingParts, "whom" | "metrics"> {
  metrics: PushMetrics;
  provider: PushProvider;
  sender: Sender<Outgoing>;
  deadLetters: ReturnType<typeof openDeadLetters>;
}

function workFor({ tokens, ...parts }: WorkParts): Worker {
  const { nats, marks, settingsOf, ttlMs } = parts;
  const breakers = openBreakers();
  const sending = {
    ...parts,
    breakers,
    sentHere: new LRUCache<string, true>({ max: sentHereMax }),
    turns: createTurns(),
    removeToken: tokens.remove,
  };
  const preparing: PrepareParts = {
    ask: createAsk(nats),
    tokens: tokens.get,
    settingsOf,
    activeDevices: async (uids) => activeIn(await askPresence(nats, uids)),
    marks,
    ttlMs,
  };
  return startWorker({
    ...parts,
    breaker: breakers.whole,
    prepare: (jobs, attempt) => prepare(preparing, jobs, attempt),
    sendJobs: (prepared, attempt) => sendJobs(sending, prepared, attempt),
  });
}

function activeIn(users: Awaited<ReturnType<typeof askPresence>>): Set<string> {
  const active = new Set<string>();
  for (const [uid, { devices }] of Object.entries(users))
    for (const { clientId, active: isActive } of devices) if (isActive) active.add(`${uid} ${clientId}`);
  return active;
}
