// Ends messages whose time is over: the partition's holder writes a recall of each, which empties its body, takes it out of
// every projection, and tells devices and search. One that was written already is found by its key.
import { type AppendItem, toOf } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { type Pass, repeat } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { ownTimerOf } from "../fold/fold-entry.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { HistoryStore } from "../keep/store.ts";
import { expiryOrigin, type Timer } from "../keep/timers.ts";
import type { Trouble } from "../keep/trouble.ts";
import type { Partitions } from "../write/partitions.ts";
import { append, type Writer } from "../write/writer.ts";

export interface SweepParts {
  store: HistoryStore;
  partitions: Pick<Partitions, "writer">;
  trouble: Trouble;
  /** where a test may end the process */
  pass: Pass;
}

type Due = Versioned<Timer>;

const lookMs = 400;
/** Ended at a time: what is sent meanwhile waits for so many at most. */
const pageTimers = 100;
/** Its message may still be on its way into the log. */
const missingForMs = 10 * 60_000;

/** Looks at once and then again and again, until it is closed. */
export function startExpiring(parts: SweepParts): { close(): Promise<void> } {
  const looking = repeat(
    (stopped) =>
      sweep(parts, stopped).then(
        () => parts.trouble.over("expiry_failed"),
        (error: unknown) => parts.trouble.failed("expiry_failed", error),
      ),
    () => lookMs,
  );
  return { close: looking.stop };
}

async function sweep({ store, partitions, pass }: SweepParts, stopped: () => boolean): Promise<void> {
  const query = { index: "due", to: Date.now(), limit: pageTimers };
  for (let page: string | null | undefined; page !== null && !stopped(); ) {
    const found = await store.timers.find(page === undefined ? query : { ...query, page });
    const byPartition = Map.groupBy(found.items, ({ doc }) => conversationPartition(doc.conv));
    await Promise.all(
      [...byPartition].map(([q, due]) => {
        const writer = partitions.writer(q);
        return writer && end({ store, pass }, writer, due);
      }),
    );
    page = found.next;
  }
}

async function end(
  { store, pass }: Pick<SweepParts, "store" | "pass">,
  writer: Writer,
  due: readonly Due[],
): Promise<void> {
  const states = await Promise.all(due.map(({ doc }) => stateOf(store, doc)));
  const there = due.filter((_, index) => states[index] === "there");
  pass("before-expiry");
  const outcome =
    there.length > 0
      ? await append(
          writer,
          there.map(({ doc }) => recallOf(doc)),
        )
      : undefined;
  // Known again at the next look, by whoever holds the partition then.
  if (outcome && "failed" in outcome) return;
  pass("before-timer-removed");
  const over = due.filter((_, index) => states[index] === "there" || states[index] === "gone");
  await Promise.all(over.map(({ key }) => store.timers.remove(key)));
  const others = due.flatMap(({ key, version }, index) => {
    const doc = states[index];
    return typeof doc === "object" ? [{ key, doc, ifVersion: version }] : [];
  });
  if (others.length > 0) await store.timers.writeMany(others);
}

/** A timer: that of the message which stands there instead. */
async function stateOf(store: HistoryStore, timer: Timer): Promise<"there" | "gone" | "missing" | Timer> {
  const entry = await entryAt(store, timer.conv, timer.seq);
  if (!entry) return Date.now() - (timer.at ?? 0) > missingForMs ? "gone" : "missing";
  const isIt = entry.from === timer.from && entry.device === timer.device && entry.id === timer.id;
  if (isIt) return "there";
  // Another message came to stand there; this one has a timer of its own at its own place. Where two holders noted one each, the other's
  // was overwritten.
  const other = ownTimerOf(entry);
  if (other === undefined) return "gone";
  const { waits: _, ...begun } = other;
  return other.at === undefined ? { ...begun, at: timer.at ?? Date.now() } : other;
}

function recallOf({ conv, seq, from }: Timer): AppendItem {
  const id = `expired:${seq}`;
  const packet = { id, to: toOf(from, conv), content: { type: "recall", seq, expired: true } };
  const body = Buffer.from(JSON.stringify(packet));
  return { conv, from, device: expiryOrigin, id, type: "recall", origin: expiryOrigin, body };
}
