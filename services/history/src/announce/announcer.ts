// The announcer of one partition: follows the log and publishes references to JetStream, at least once, dense in `pos`.

import type { JetStreamClient } from "@nats-io/jetstream";
import { type StoredKind, type StoredReference, type StoredReferences, storedSubject } from "@parley/protocol";
import { type Logger, type Pass, within } from "@parley/runtime";
import type { LogEntry, MessageLog } from "@parley/store";
import { onwardRooms } from "../fold/onward.ts";

export interface Announcer {
  /** Committed just now: announced without reading the log again, if nothing is missing in between. */
  add(entries: readonly LogEntry[]): void;
  /** The log goes on up to here: read from it. */
  upTo(pos: number): void;
  /** `pos` of the last entry that JetStream has. */
  readonly pos: number;
  close(): Promise<void>;
}

export interface AnnouncerOptions {
  q: number;
  from: number;
  known: number;
  locate(): Promise<number>;
  jetstream: Pick<JetStreamClient, "publish">;
  store: Pick<MessageLog, "follow">;
  delayMs: number;
  /** where a test may end the process */
  pass: Pass;
  log: Logger;
}

const gatheredMax = 2_000;
const pageSize = 500;
const retryMs = 1_000;
const closeWaitMs = 1_000;

/**
 * Begins after `from`, or where JetStream says that it ends (`locate`), which nobody waits for; the log's end is `known`.
 * An entry waits up to `delayMs` for company; one with an origin, that goes on to other rooms, or of a call, which rings while somebody waits, does not.
 */
export function startAnnouncer(options: AnnouncerOptions): Announcer {
  const { q, store, delayMs, log } = options;
  let announced = options.from;
  let known = Math.max(options.from, options.known);
  let gathered: StoredReference[] = [];
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let closed = false;
  let isLocated = false;

  async function nextPage(): Promise<StoredReference[]> {
    while (gathered.length > 0 && (gathered[0]?.pos ?? 0) <= announced) gathered.shift();
    if (gathered[0]?.pos === announced + 1) return gathered.splice(0, pageSize);
    return announced < known ? (await store.follow(q, announced, pageSize)).map(referenceOf) : [];
  }

  async function work(): Promise<void> {
    if (!isLocated) announced = Math.max(announced, Math.min(await options.locate(), known));
    isLocated = true;
    while (!closed) {
      const page = await nextPage();
      const dense = page.filter((entry, index) => entry.pos === announced + 1 + index);
      if (page.length > 0 && dense.length === 0) throw new Error(`entry ${announced + 1} is not in the log`);
      if (dense.length === 0) return;
      await publish(options, dense);
      announced = dense.at(-1)?.pos ?? announced;
    }
  }

  function wake(afterMs: number): void {
    if (closed || working) return;
    if (timer && afterMs > 0) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      working = work()
        .then(
          () => 0,
          (error: unknown) => {
            log.warn({ event: "announce_failed", q, after: announced, reason: String(error) });
            return retryMs;
          },
        )
        .then((again) => {
          working = undefined;
          if (again > 0 || announced < known) wake(again || delayMs);
        });
    }, afterMs);
  }

  if (announced < known) wake(delayMs);
  return {
    add(entries) {
      known = entries.at(-1)?.pos ?? known;
      // No bodies: JetStream may be away for long.
      const references = entries.map(referenceOf);
      gathered.push(...references);
      // Without JetStream the log itself keeps what is not announced.
      if (gathered.length > gatheredMax) gathered = [];
      wake(references.some(isUrgent) ? 0 : delayMs);
    },
    upTo(pos) {
      known = Math.max(known, pos);
      if (announced < known) wake(0);
    },
    get pos() {
      return announced;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      // What JetStream has not confirmed by then, the next holder announces again.
      if (working) await within(closeWaitMs, working);
    },
  };
}

function isUrgent({ origin, onward, type }: StoredReference): boolean {
  return origin !== undefined || onward === true || type === "call";
}

type PublishOptions = Pick<AnnouncerOptions, "q" | "jetstream" | "pass">;

// What goes on to other rooms comes before its batch, by which JetStream tells how far all is announced: after a death in
// between both come again.
async function publish(options: PublishOptions, entries: StoredReference[]): Promise<void> {
  const onward = entries.filter((entry) => entry.onward);
  if (onward.length > 0) {
    await publishAs(options, "onward", onward);
    options.pass("before-batch-announced");
  }
  await publishAs(options, entries.some(({ origin }) => origin !== undefined) ? "origin" : "mqtt", entries);
}

async function publishAs(
  { q, jetstream }: PublishOptions,
  kind: StoredKind,
  entries: StoredReference[],
): Promise<void> {
  const references: StoredReferences = { q, entries };
  await jetstream.publish(storedSubject(q, kind), JSON.stringify(references), { timeout: 5_000, retries: 1 });
}

function referenceOf(entry: LogEntry): StoredReference {
  const { pos, conv, seq, from, type, ts, origin } = entry;
  const onward = onwardRooms(entry).length > 0 && { onward: true as const };
  return { pos, conv, seq, from, type, ts, ...(origin === null ? {} : { origin }), ...onward };
}
