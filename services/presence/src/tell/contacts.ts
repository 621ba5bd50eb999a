// Whom a user is shown to: asked of api, kept for a while, and asked anew when api says that it changed. Each change is a turn
// in Redis: whoever shows a user looks at the turn in the same moment as at how users are, so that by the answer to a change
// no replica shows anything by what it knew before.
import { randomUUID } from "node:crypto";
import { AppError, type ContactsReply, subjects } from "@parley/protocol";
import { type NatsConnection, onNatsBack, type Redis, requestJson } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { readStates, readTold, type Told } from "../sessions/change.ts";
import { tellingKey, toldKey, turnKey } from "../sessions/keys.ts";

/** A user and its contacts, all as of one moment. */
export interface View extends ContactsReply {
  /** how those of the contacts are who have a session */
  states: Map<string, Told>;
  /** how the user itself is; undefined: it has no session */
  own: Told | undefined;
}

export interface Contacts {
  /** Has the user none, as far as is known here? Who shows or tells anything asks `of` or `with`. Rejects when api does not answer. */
  hasNone(uid: string): Promise<boolean>;
  /** Rejects when api or Redis does not answer. */
  of(uid: string): Promise<View>;
  /**
   * The same, for who tells others: a change of contacts waits until `work` has ended. What `work` does at once is done before
   * anything else.
   */
  with<T>(uid: string, work: (view: View) => Promise<T>): Promise<T>;
  /** What any replica knows of the users counts no more; resolves when none tells by it. Rejects when Redis does not do it. */
  changed(uids: readonly string[], patienceMs: number): Promise<void>;
  /** What is known here of the user counts no more. */
  forget(uid: string): void;
  close(): void;
}

/** A change of which nothing was heard is known by then. */
const keptMs = 30_000;
const contactsKept = 2_000_000;
const askMs = 2000;
/** Longer than contacts are asked and kept. */
const turnMs = 60_000;
const attemptsMax = 10;
/** Whoever is not through by then died. */
const tellingMs = 5000;
const lookMs = 5;

type Known = ContactsReply & { turn: string | null };

const beginScript = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
if ARGV[1] ~= "" then
  redis.call("ZADD", KEYS[1], now + ARGV[2], ARGV[1])
  redis.call("PEXPIRE", KEYS[1], ARGV[2])
end
return redis.call("ZRANGE", KEYS[1], 0, -1)`;

export function openContacts({ nats, redis }: { nats: NatsConnection; redis: Redis }): Contacts {
  const kept = new LRUCache<string, Known>({
    maxSize: contactsKept,
    sizeCalculation: ({ uids }) => uids.length + 1,
    ttl: keptMs,
  });
  // Those who want the same at once share a request; what was forgotten since it was asked is not kept.
  const asked = new Map<string, Promise<Known>>();

  async function request(uid: string): Promise<Known> {
    const turn = await redis.get(turnKey(uid));
    return { ...(await requestJson<ContactsReply>(nats, subjects.contacts, { uid }, { timeoutMs: askMs })), turn };
  }

  function ask(uid: string): Promise<Known> {
    const asking = request(uid)
      .then((reply) => {
        if (asked.get(uid) === asking) kept.set(uid, reply);
        return reply;
      })
      .finally(() => {
        if (asked.get(uid) === asking) asked.delete(uid);
      });
    asked.set(uid, asking);
    return asking;
  }

  function forget(uid: string): void {
    kept.delete(uid);
    asked.delete(uid);
  }

  const known = async (uid: string) => kept.get(uid) ?? asked.get(uid) ?? ask(uid);

  async function view(uid: string, token?: string): Promise<View> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const { turn, ...contacts } = await known(uid);
      const { now, ...seen } = await look(redis, uid, contacts.uids, token);
      if (now === turn) return { ...contacts, ...seen };
      forget(uid);
      if (token !== undefined) await redis.zrem(tellingKey(uid), token);
    }
    throw new AppError("unavailable", "contacts changed again and again");
  }

  const stop = onNatsBack(nats, () => {
    kept.clear();
    asked.clear();
  });
  return {
    hasNone: async (uid) => (await known(uid)).uids.length === 0,
    of: (uid) => view(uid),
    async with(uid, work) {
      const token = randomUUID();
      try {
        return await work(await view(uid, token));
      } finally {
        redis.zrem(tellingKey(uid), token).catch(() => undefined);
      }
    },
    async changed(uids, patienceMs) {
      for (const uid of uids) {
        forget(uid);
        await redis.set(turnKey(uid), randomUUID(), "PX", turnMs);
      }
      await Promise.all(uids.map((uid) => untilTold(redis, uid, patienceMs)));
    },
    forget,
    close: stop,
  };
}

/** The user's turn, and how it and its contacts are, in one moment; with `token` it is known from before that on that somebody tells. */
async function look(redis: Redis, uid: string, uids: readonly string[], token: string | undefined) {
  const commands = redis.pipeline();
  if (token !== undefined) commands.eval(beginScript, 1, tellingKey(uid), token, tellingMs);
  commands.mget([turnKey(uid), toldKey(uid), ...uids.map(toldKey)]);
  const [error, texts] = (await commands.exec())?.at(-1) ?? [new Error("Redis does not answer")];
  if (error) throw error;
  const [now = null, own, ...states] = texts as (string | null)[];
  return { now, own: own ? readTold(own) : undefined, states: readStates(uids, states) };
}

/** Resolves when none of those tells any more who tell of the user, or its contacts to it, just now. */
async function untilTold(redis: Redis, uid: string, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  const first = (await redis.eval(beginScript, 1, tellingKey(uid), "", 0)) as string[];
  for (let left = first; left.length > 0 && performance.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const now = new Set(await redis.zrange(tellingKey(uid), "0", "-1"));
    left = left.filter((token) => now.has(token));
  }
}
