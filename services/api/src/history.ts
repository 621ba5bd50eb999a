// Asks history: the replica that holds the conversation's partition, again until it answers or ten seconds have passed.
import { setTimeout as sleep } from "node:timers/promises";
import {
  AppError,
  type Appended,
  type AppendItem,
  type ChangeReply,
  type ChangeRequest,
  historySubject,
  type MemberList,
  type Membership,
  packAppendRequest,
  subjects,
  unpackAppendReply,
} from "@parley/protocol";
import { conversationPartition, conversationPartitions } from "@parley/protocol/partition";
import {
  type HolderLookup,
  type Logger,
  type NatsConnection,
  type Redis,
  readJsonAnswer,
  request,
  requestJson,
  startHolderLookup,
} from "@parley/runtime";

const patienceMs = 10_000;
const answerTimeoutMs = 3_000;
const pauseMs = 100;

export interface History {
  /** Throws the refusal, or `unavailable` with the outcome unknown. */
  change(change: ChangeRequest): Promise<ChangeReply>;
  members(conv: string): Promise<MemberList>;
  append(item: AppendItem): Promise<Appended>;
  memberships(uid: string, kind: "room"): Promise<Membership[]>;
  /** What is being asked again fails now as `unavailable`. */
  close(): void;
}

interface Asking {
  nats: NatsConnection;
  holders: HolderLookup;
  closed: boolean;
}

export function connectHistory(parts: { nats: NatsConnection; redis: Redis; log: Logger }): History {
  const { nats, redis, log } = parts;
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  const asking: Asking = { nats, holders, closed: false };
  const askJson = async <Answer>(verb: "change" | "members", conv: string, body: object): Promise<Answer> =>
    askHolder(asking, verb, conv, JSON.stringify(body), (bytes) => readJsonAnswer(bytes) as Answer);
  return {
    change: (change) => askJson("change", change.conv, change),
    members: (conv) => askJson("members", conv, { conv }),
    append: (item) => {
      const group = { q: conversationPartition(item.conv), items: [item] };
      return askHolder(asking, "append", item.conv, packAppendRequest([group]), readAppended);
    },
    async memberships(uid, kind) {
      const options = { timeoutMs: patienceMs };
      return (await requestJson<{ memberships: Membership[] }>(nats, subjects.memberships, { uid, kind }, options))
        .memberships;
    },
    close() {
      asking.closed = true;
      holders.close();
    },
  };
}

// Everything asked here is idempotent, so whatever the holder did with an unanswered request, asking again is safe.
async function askHolder<Answer>(
  asking: Asking,
  verb: "change" | "members" | "append",
  conv: string,
  payload: Uint8Array | string,
  read: (bytes: Uint8Array) => Answer,
): Promise<Answer> {
  const { nats, holders } = asking;
  const key = String(conversationPartition(conv));
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const holder = holders.of(key);
    try {
      if (holder === undefined) throw new AppError("unavailable");
      const left = Math.max(1, deadline - performance.now());
      const timeoutMs = Math.min(answerTimeoutMs, left);
      return read(await request(nats, historySubject(verb, holder), payload, { timeoutMs }));
    } catch (error) {
      const isRefusal = !(error instanceof AppError) || error.code !== "unavailable";
      if (isRefusal) throw error;
      if (asking.closed || performance.now() + pauseMs >= deadline)
        throw new AppError("unavailable", "history does not answer; the outcome is unknown, send it again", {
          cause: error,
        });
    }
    await holders.refresh();
    if (holders.of(key) === holder) await sleep(pauseMs);
  }
}

function readAppended(bytes: Uint8Array): Appended {
  // A request that could not be read at all is answered as JSON.
  if (bytes[0] === "{".charCodeAt(0)) readJsonAnswer(bytes);
  const group = unpackAppendReply(bytes)[0];
  if (group === undefined) throw new AppError("internal", "an append was answered with nothing");
  if ("failed" in group) throw new AppError(group.failed === "not_mine" ? "unavailable" : group.failed, group.message);
  const outcome = group.outcomes[0];
  if (outcome === undefined) throw new AppError("internal", "an append was answered with nothing");
  if ("error" in outcome) throw AppError.fromWire(outcome.error);
  return outcome;
}
