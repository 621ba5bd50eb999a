// Presence tells of devices with trees as they come and go; what was not heard is found by its list, read at the start, every
// minute, and when a connection to NATS was away, ours or that of one who tells.
import { subjects, type Tree, type TreeEvent, type TreesReply, type TreesRequest } from "@parley/protocol";
import { type Logger, type NatsConnection, onNatsBack, parseJson, repeat, requestJson } from "@parley/runtime";
import type { KnownTrees } from "./known-trees.ts";

const everyMs = 60_000;
const retryMs = 1_000;
const askMs = 5_000;
/** Several tell at once that their connection is back. */
const missedTurnMs = 100;

export interface TreesFollowed {
  known: KnownTrees;
  /** Something for a device may not have come, or was not sent as the device was not known: it is known by now. */
  missed(): void;
  log: Logger;
}

/** Until closed. Nothing waits for the first list: a device whose tree is not known yet misses nothing, it is caught up with. */
export function followTrees(nats: NatsConnection, { known, missed, log }: TreesFollowed): { close(): Promise<void> } {
  const hearing = nats.subscribe(subjects.treeEvent, {
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

  const hearingMissed = nats.subscribe(subjects.treesMissed, { callback: () => listAgain(false) });
  const forget = onNatsBack(nats, () => listAgain(true));
  /** Once the list is read: who has devices looks after them; where we may have lost something for others, all are told, ourselves too. */
  let after: { tellOthers: boolean } | undefined;
  let pauseMs = retryMs;

  function note(tellOthers: boolean): void {
    after = { tellOthers: tellOthers || (after?.tellOthers ?? false) };
  }

  function listAgain(tellOthers: boolean): void {
    note(tellOthers);
    reading.soon(missedTurnMs);
  }

  function isListed(told: typeof after): void {
    if (told?.tellOthers) nats.publish(subjects.treesMissed);
    else if (told) missed();
  }

  const reading = repeat(
    async () => {
      const done = known.beginList();
      const told = after;
      after = undefined;
      pauseMs = await readList().then(
        (trees) => {
          done(trees);
          isListed(told);
          return everyMs;
        },
        (error: unknown) => {
          if (told !== undefined) note(told.tellOthers);
          log.debug({ event: "trees_not_read", reason: String(error) });
          return retryMs;
        },
      );
    },
    () => pauseMs,
  );
  return {
    async close() {
      forget();
      for (const one of [hearing, hearingMissed]) one.unsubscribe();
      await reading.stop();
    },
  };
}
