// Sends what was prepared of one message of the queue, and does what each outcome asks for; then the message is done.
import { backoffMs, type PushJob, type PushProvider, type Turns } from "@parley/protocol";
import type { Logger, Pass } from "@parley/runtime";
import type { Outcome, Outgoing, Sender } from "../providers/outgoing.ts";
import type { DeadLetters } from "../queue/dead-letters.ts";
import type { Enqueue } from "../queue/enqueue.ts";
import { jobKey } from "../queue/jobs.ts";
import type { Marks } from "../queue/marks.ts";
import type { Breaker } from "./breaker.ts";
import type { Breakers, OwnBreaker } from "./breakers.ts";
import type { PushMetrics } from "./metrics.ts";
import type { Prepared } from "./prepare.ts";
import { isUnasked, tellBreaker } from "./tell-breaker.ts";

export interface SendJobsParts {
  provider: PushProvider;
  sender: Sender;
  breakers: Breakers;
  /** those that the provider has had from this process, of late: the same job may come twice at once */
  sentHere: { has(key: string): boolean; set(key: string, is: true): unknown };
  /** by token and conversation: an older message must not take the place of a newer one */
  turns: Pick<Turns, "inTurn">;
  enqueue: Enqueue;
  marks: Pick<Marks, "sent">;
  deadLetters: Pick<DeadLetters, "bury">;
  /** Removes a token that was not registered again since (unix ms). */
  removeToken(key: string, registeredBefore: number): Promise<unknown>;
  metrics: PushMetrics;
  pass: Pass;
  log: Logger;
}

/** Of one device and provider these are enough; what is of no use any more is dropped before, by its age. */
const attemptsMax = 20;
const againMax = 3;
const retry = { baseMs: 2_000, maxMs: 900_000 };
/** What has waited so long for its turn is looked at anew: its device may have come, or have been logged out. */
const preparedMs = 5_000;
/** What was never asked waits for so much of its age, that a provider that hangs costs little. */
const shareOfAge = 0.25;
const waited: Outcome = { is: "later", reason: "it waited for its turn", unasked: true };
/** Push services of their own that are tried with one notification now. */
const beingTried = new WeakSet<Breaker>();

/** Throws when what is to be done later could not be kept: then all of it comes again, and what was sent is known. */
export async function sendJobs(parts: SendJobsParts, prepared: readonly Prepared[], attempt: number): Promise<void> {
  const { provider, marks, metrics, pass } = parts;
  const preparedAt = performance.now();
  const outcomes = await Promise.all(
    prepared.map(async (one) => {
      if ("skip" in one) metrics.skipped(one.skip);
      if (!("outgoing" in one)) return undefined;
      pass("before-push-send");
      const outcome = await parts.turns.inTurn(`${one.job.token} ${one.job.conv}`, () =>
        performance.now() - preparedAt > preparedMs ? Promise.resolve(waited) : sendOnce(parts, one),
      );
      if (outcome === undefined) return undefined;
      metrics.outcome(provider, outcome.is);
      if (outcome.is === "sent") metrics.delivered(provider, Date.now() - one.job.at);
      return outcome;
    }),
  );
  const sent = prepared.filter((_, index) => outcomes[index]?.is === "sent").map(({ job }) => job);
  pass("before-push-settled");
  await marks.sent(sent);
  await settle(parts, prepared, outcomes, attempt);
}

/** undefined: the provider has it already. */
async function sendOnce(
  parts: SendJobsParts,
  { job, outgoing }: { job: PushJob; outgoing: Outgoing },
): Promise<Outcome | undefined> {
  const key = jobKey(job);
  if (parts.sentHere.has(key)) {
    parts.metrics.skipped("sent_already");
    return undefined;
  }
  const outcome = await send(parts, outgoing);
  if (outcome.is === "sent") parts.sentHere.set(key, true);
  return outcome;
}

async function send(parts: SendJobsParts, outgoing: Outgoing): Promise<Outcome> {
  const own = parts.breakers.own(outgoing);
  const waitMs = own?.waitMs() ?? 0;
  if (own === undefined || (waitMs === 0 && !own.isTrying())) return ask(parts, outgoing, own);
  if (waitMs > 0 || beingTried.has(own))
    return { is: "later", reason: "its push service is left alone for a while", afterMs: waitMs, unasked: true };
  beingTried.add(own);
  return ask(parts, outgoing, own).finally(() => beingTried.delete(own));
}

async function ask(parts: SendJobsParts, outgoing: Outgoing, own: OwnBreaker | undefined): Promise<Outcome> {
  const { sender, breakers } = parts;
  for (let time = 1; ; time++) {
    const outcome = await sender.send(outgoing);
    tellBreaker(parts, own ?? breakers.whole, outcome);
    if (outcome.is !== "again") return outcome;
    if (time === againMax) return { is: "later", reason: outcome.reason };
  }
}

async function settle(
  parts: SendJobsParts,
  prepared: readonly Prepared[],
  outcomes: readonly (Outcome | undefined)[],
  attempt: number,
): Promise<void> {
  const later: Later[] = [];
  const work = prepared.map(async (one, index) => {
    const outcome = outcomes[index];
    if ("dead" in one) return bury(parts, one.job, one.dead);
    if ("skip" in one || outcome === undefined) return;
    const { job, token } = one;
    if (outcome.is === "gone") return removeToken(parts, token, outcome);
    if (outcome.is === "refused") return bury(parts, job, outcome.reason);
    if (outcome.is === "sent" || outcome.is === "again") return;
    // An operator who takes a day to mend a setting costs nobody a notification.
    const isNoTry = outcome.is === "misconfigured" || isUnasked(outcome);
    // Late ones, which look whether their device has come, are those with an attempt.
    const tried = isNoTry ? Math.max(1, attempt) : attempt + 1;
    if (tried > attemptsMax) return bury(parts, job, outcome.reason);
    later.push({ job, attempt: tried, notBefore: notBeforeOf(parts, job, outcome, tried) });
  });
  await Promise.all([...work, tryLater(parts, later)]);
}

interface Later {
  job: PushJob;
  attempt: number;
  /** unix ms */
  notBefore: number;
}

async function removeToken(
  { provider, removeToken: remove, log }: SendJobsParts,
  { key, clientId, registeredAt }: { key: string; clientId: string; registeredAt: number },
  { reason, since }: { reason: string; since?: number },
): Promise<void> {
  log.info({ event: "push_token_gone", provider, clientId, reason });
  await remove(key, since ?? registeredAt);
}

async function bury({ provider, deadLetters, metrics }: SendJobsParts, job: PushJob, reason: string): Promise<void> {
  await deadLetters.bury(provider, job, reason);
  metrics.dead(provider);
}

/** What is tried again at about the same time goes together: to a whole second. */
function notBeforeOf({ breakers }: SendJobsParts, job: PushJob, outcome: Outcome, attempt: number): number {
  const saidMs = outcome.is === "later" ? (outcome.afterMs ?? 0) : 0;
  const agedMs = isUnasked(outcome) ? Math.min(retry.maxMs, (Date.now() - job.at) * shareOfAge) : 0;
  const waitMs = Math.max(saidMs, agedMs, breakers.whole.waitMs(), backoffMs(Math.max(1, attempt), retry));
  return Math.ceil((Date.now() + waitMs) / 1_000) * 1_000;
}

async function tryLater({ provider, enqueue, log }: SendJobsParts, all: readonly Later[]): Promise<void> {
  const groups = Map.groupBy(all, ({ attempt, notBefore }) => `${attempt} ${notBefore}`);
  await Promise.all(
    [...groups.values()].map((group) => {
      const { attempt, notBefore } = group[0]!;
      log.debug({ event: "push_later", provider, jobs: group.length, attempt, notBefore });
      const jobs = group.map(({ job }) => ({ provider, job }));
      return enqueue(jobs, { attempt, notBefore, again: `.${notBefore}` });
    }),
  );
}
