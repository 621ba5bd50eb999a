// Jobs that were given up: kept in the stream DEAD, put into the queue again when an operator says so.
import { AckPolicy, DeliverPolicy, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  AppError,
  type DeadPush,
  deadSubject,
  type PushJob,
  type PushProvider,
  type PushReplayReply,
  type PushReplayRequest,
  streams,
} from "@parley/protocol";
import type { Logger, NatsConnection, Pass } from "@parley/runtime";
import type { Enqueue } from "./enqueue.ts";
import { lifeKey } from "./jobs.ts";

export interface DeadLetters {
  /** Resolves when JetStream has it: once, also of a job that a crash brings again within two minutes. Throws `unavailable`. */
  bury(provider: PushProvider, job: PushJob, reason: string): Promise<void>;
  /** The oldest first. A crash in between puts some into the queue twice: what was sent is known there, and what is buried again, too. */
  replay(asked: PushReplayRequest): Promise<PushReplayReply>;
}

const timeoutMs = 3_000;
const replayedMax = 1_000;
const waitMs = 1_000;

export interface DeadLettersParts {
  nats: NatsConnection;
  enqueue: Enqueue;
  /** a job of it is of no use any more */
  isExpired(job: PushJob): boolean;
  pass: Pass;
  log: Logger;
}

export function openDeadLetters({ nats, enqueue, isExpired, pass, log }: DeadLettersParts): DeadLetters {
  const stream = jetstream(nats);
  return {
    async bury(provider, job, reason) {
      const letter: DeadPush = { provider, job, reason, at: Date.now() };
      log.error({ event: "dead_letter", provider, clientId: job.clientId, conv: job.conv, seq: job.seq, reason });
      try {
        const once = { msgID: `push.${lifeKey(job)}`, timeout: timeoutMs };
        await stream.publish(deadSubject(`push.${provider}`), JSON.stringify(letter), once);
      } catch (cause) {
        throw new AppError("unavailable", "JetStream does not take a dead letter", { cause });
      }
    },
    async replay({ provider, limit }) {
      const manager = await jetstreamManager(nats);
      const filter = deadSubject(`push.${provider ?? "*"}`);
      const { letters, left } = await readLetters(manager, nats, filter, Math.min(limit, replayedMax));
      const good = letters.filter(({ letter }) => !isExpired(letter.job));
      await enqueue(
        good.map(({ seq, letter: { provider: of, job } }) => ({ provider: of, job: { ...job, letter: seq } })),
      );
      for (const { seq } of letters) {
        pass("before-letter-removed");
        await manager.streams.deleteMessage(streams.dead.name, seq, false);
      }
      return { replayed: good.length, expired: letters.length - good.length, left };
    },
  };
}

interface Letters {
  letters: { seq: number; letter: DeadPush }[];
  /** behind these */
  left: number;
}

/** By a consumer that is there for this reading only. */
async function readLetters(
  manager: JetStreamManager,
  nats: NatsConnection,
  filter: string,
  limit: number,
): Promise<Letters> {
  const { name } = await manager.consumers.add(streams.dead.name, {
    filter_subject: filter,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.All,
    inactive_threshold: 30e9,
  });
  try {
    const consumer = await jetstream(nats).consumers.get(streams.dead.name, name);
    const { num_pending: waiting } = await consumer.info();
    const wanted = Math.min(limit, waiting);
    const letters: Letters["letters"] = [];
    while (letters.length < wanted) {
      const fetched = await consumer.fetch({ max_messages: wanted - letters.length, expires: waitMs });
      const before = letters.length;
      for await (const message of fetched) letters.push({ seq: message.seq, letter: message.json<DeadPush>() });
      if (letters.length === before) break;
    }
    return { letters, left: waiting - letters.length };
  } finally {
    await manager.consumers.delete(streams.dead.name, name);
  }
}
