// Follows what is stored: calls go on at once, all else when it has had a moment to be read.
import { pushProviders, streams } from "@parley/protocol";
import { type FollowedReference, followReferences, type Logger, takeInGroups } from "@parley/runtime";
import type { Told } from "./decide-jobs.ts";
import { callType, mayNotify } from "./kinds.ts";
import { type NotifyParts, notifyOf } from "./notify.ts";
import { type ToldParts, toldBy } from "./told.ts";

export interface FollowParts extends ToldParts, NotifyParts {
  /** ms that a message may be read before anybody is notified */
  delayMs: number;
  log: Logger;
}

const storedDurable = "push";
/** JetStream messages taken together; of a busy hour a second's. */
const batchMessages = 500;
/** Longer than they are held, so that nobody need speak of those: after a `kill -9` they come again so late. */
const ackWaitMs = 10_000;

/** Follows until closed. A reference is done when its jobs are in the queue. */
export function followStoredMessages(parts: FollowParts): { close(): Promise<void> } {
  const { nats, delayMs, pass, log } = parts;
  return followReferences({
    nats,
    durable: storedDurable,
    filter: streams.stored.subjects[0],
    // What goes on to other rooms stands there again.
    kinds: ["mqtt", "origin"],
    holdMs: delayMs,
    ackWaitMs,
    batchMessages,
    arrived(found) {
      const calls = found.filter(({ reference }) => reference.type === callType);
      if (calls.length === 0) return;
      // Those that fail are told of when they are taken: a second time in the queue they are dropped.
      notifyOfAll(parts, calls, "calls").catch((error: unknown) =>
        log.warn({ event: "call_waits", reason: String(error), calls: calls.length }),
      );
    },
    async take(found) {
      await notifyOfAll(parts, found, "all");
      pass("before-stored-taken");
    },
    log,
  });
}

async function notifyOfAll(
  parts: FollowParts,
  found: readonly FollowedReference[],
  which: "calls" | "all",
): Promise<void> {
  const wanted = found.filter(({ reference }) => mayNotify(reference));
  // Without a provider all is passed over, so that one that is switched on later is not told of what was before.
  if (wanted.length === 0 || !pushProviders.some(parts.isOn)) return;
  // A JetStream message that comes again makes the same jobs, and these the same messages of the queue: none while a part of it fails.
  const byMessage = Map.groupBy(wanted, ({ message }) => message);
  await takeInGroups(
    [...byMessage.values()],
    (group) => toldOf(parts, group),
    (found) => {
      const groups = found.flat();
      if (which === "all") return notifyOf(parts, groups);
      return notifyOf(
        parts,
        groups.map((group) => group.filter(({ what }) => what.kind === "call")),
      );
    },
  );
}

// Calls by themselves, as they were told of at once.
function toldOf(parts: FollowParts, group: readonly FollowedReference[]): Promise<Told[][]> {
  const isCall = ({ reference }: FollowedReference) => reference.type === callType;
  const sides = [group.filter(isCall), group.filter((one) => !isCall(one))].filter(({ length }) => length > 0);
  return Promise.all(sides.map((side) => toldBy(parts, side)));
}
