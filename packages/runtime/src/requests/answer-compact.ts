// A service's store without what was erased, on request: only the process that has it open can do that. It may take longer than anybody
// waits for an answer, so that who asks is told of the run it is in; all who ask while one is under way share the next one.
import { randomUUID } from "node:crypto";
import { AppError, type CompactReply, type CompactRequest, compactSubject } from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";
import { type Answering, answerJson, requestJson } from "./request.ts";

const timeoutMs = 30_000;

interface Run {
  name: string;
  ended: Promise<void>;
}

export interface CompactOptions {
  service: string;
  compact(): Promise<void>;
  /** who asks is answered by then */
  answerMs?: number;
  log: Logger;
}

export function answerCompact(nats: NatsConnection, options: CompactOptions): Answering {
  const { service, compact, answerMs = 2_000, log } = options;
  const runs = createRuns(compact);
  return answerJson<CompactRequest>(
    nats,
    compactSubject(service),
    service,
    async ({ run }): Promise<CompactReply> => {
      const its = runs.named(run) ?? runs.next();
      return (await endsInTime(its, answerMs)) ? {} : { run: its.name };
    },
    log,
  );
}

/** What was removed before is off the service's disk when it resolves. `isWanted`: throws `unavailable` once it is not. */
export async function requestCompact(nats: NatsConnection, service: string, isWanted: () => boolean): Promise<void> {
  let asked: CompactRequest = {};
  do {
    if (!isWanted()) throw new AppError("unavailable", "nobody waits for it any more");
    asked = await requestJson<CompactReply>(nats, compactSubject(service), asked, { timeoutMs });
  } while (asked.run !== undefined);
}

// One after the other. One under way may have passed by what was removed since it began.
function createRuns(compact: () => Promise<void>) {
  let running: Run | undefined;
  let waiting: Run | undefined;
  let last: Run | undefined;

  function begin(run: Run): Promise<void> {
    running = run;
    waiting = undefined;
    return compact().finally(() => {
      last = run;
      running = undefined;
    });
  }

  function add(before: Promise<unknown>): Run {
    const run: Run = { name: randomUUID(), ended: before.then(() => begin(run)) };
    run.ended.catch(() => undefined);
    return run;
  }

  return {
    /** that one, unless it is long over */
    named: (name: string | undefined): Run | undefined =>
      name === undefined ? undefined : [running, waiting, last].find((run) => run?.name === name),
    /** one that begins from now on */
    next(): Run {
      waiting ??= add(running?.ended.catch(() => undefined) ?? Promise.resolve());
      return waiting;
    },
  };
}

async function endsInTime({ ended }: Run, answerMs: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(late.resolve, answerMs, false);
  try {
    return await Promise.race([ended.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
