// Users who come back after a while: what they missed is in the store before the cluster starts, and read raw first.
import type { Cluster } from "@parley/testkit";
import { convOfTalk, fillLog, openHistory, type Talk } from "./fill.ts";
import { logIn, makeKey, makeUsers, type Session } from "./people.ts";
import type { Bench } from "./scenario.ts";
import { type Took, timed } from "./timing.ts";

export interface Reader {
  uid: string;
  conversations: number;
  messages: number;
}

const pageMessages = 500;
const pageBytes = 256 * 1024;

/** Each with others of its own to talk to, and as many messages in each conversation. */
export function talksOf({ uid, conversations, messages }: Reader): Talk[] {
  const each = Math.ceil(messages / conversations);
  return Array.from({ length: conversations }, (_, index) => ({ a: uid, b: `${uid}-${index}`, messages: each }));
}

/** Runs `work` on a cluster whose store holds all of them. `raw` is done on the store alone, before. */
export async function withReaders<Raw, T>(
  bench: Bench,
  readers: readonly Reader[],
  raw: (store: Awaited<ReturnType<typeof openHistory>>) => Promise<Raw>,
  work: (cluster: Cluster, sessions: ReadonlyMap<string, Session>, raw: Raw) => Promise<T>,
): Promise<T> {
  let found: Raw | undefined;
  const fill = async (storeUrl: string) => {
    const store = await openHistory(storeUrl);
    try {
      bench.say(`filling the store: ${readers.map(({ messages }) => messages).join(" + ")} messages`);
      await fillLog(store.log(), readers.flatMap(talksOf));
      found = await raw(store);
    } finally {
      await store.close();
    }
  };
  return bench.withCluster({ fill }, async (cluster) => {
    const key = await makeKey(cluster);
    const { http } = cluster.run();
    await makeUsers(
      http,
      key,
      readers.map(({ uid }) => uid),
    );
    const sessions = new Map<string, Session>();
    for (const { uid } of readers) sessions.set(uid, await logIn(http, key, uid));
    return work(cluster, sessions, found as Raw);
  });
}

/** Every message of the reader's conversations, read from the store in pages as large as those that are served. */
export async function readRaw(
  store: Awaited<ReturnType<typeof openHistory>>,
  reader: Reader,
  times: number,
): Promise<Took> {
  const log = store.log();
  const convs = talksOf(reader).map(convOfTalk);
  return timed(times, async () => {
    for (const conv of convs) {
      for (let after = 0; ; ) {
        const page = await log.range(conv, { after, limit: pageMessages, maxBytes: pageBytes });
        const last = page.at(-1);
        if (!last) break;
        after = last.seq;
      }
    }
  });
}
