// Presence tells of devices with trees as they come and go; what was not heard is found by its list, read at the start and every
// minute.
import { subjects, type Tree, type TreeEvent, type TreesReply, type TreesRequest } from "@parley/protocol";
import { type Logger, type NatsConnection, parseJson, repeat, requestJson } from "@parley/runtime";
import type { KnownTrees } from "./known-trees.ts";

const everyMs = 60_000;
const retryMs = 1_000;
const askMs = 5_000;

/** Until closed. Nothing waits for the first list: a device whose tree is not known yet misses nothing, it is caught up with. */
export function followTrees(nats: NatsConnection, known: KnownTrees, log: Logger): { close(): Promise<void> } {
  const subscription = nats.subscribe(subjects.treeEvent, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "trees_not_heard", reason: error.message });
      known.take(parseJson(message.data) as TreeEvent);
    },
  });

  async function readList(): Promise<Tree[]> {
    const trees: Tree[] = [];
    let page: string | undefined;
    do {
      const asked: TreesRequest = page === undefined ? {} : { page };
      const reply = await requestJson<TreesReply>(nats, subjects.trees, asked, { timeoutMs: askMs });
      trees.push(...reply.trees);
      page = reply.next ?? undefined;
    } while (page !== undefined);
    return trees;
  }

  let pauseMs = retryMs;
  const reading = repeat(
    async () => {
      const done = known.beginList();
      pauseMs = await readList().then(
        (trees) => {
          done(trees);
          return everyMs;
        },
        (error: unknown) => {
          log.debug({ event: "trees_not_read", reason: String(error) });
          return retryMs;
        },
      );
    },
    () => pauseMs,
  );
  return {
    async close() {
      subscription.unsubscribe();
      await reading.stop();
    },
  };
}
