// What waits for one partition, and how much of it becomes one batch.
import {
  type AppError,
  type AppendItem,
  type AppendOutcome,
  type ChangeReply,
  type ChangeRequest,
  type GroupOutcome,
  limits,
} from "@parley/protocol";

/** One group of messages. `refusals`: what was decided before, one an item. */
export interface AppendJob {
  items: readonly AppendItem[];
  refusals: readonly (AppendOutcome | undefined)[] | undefined;
  bytes: number;
  settle(outcome: GroupOutcome): void;
}

export interface ChangeJob {
  request: ChangeRequest;
  settle(reply: ChangeReply | AppError): void;
}

/** Something that is done between two batches. */
export interface PauseJob {
  pause(): void | Promise<void>;
  settle(failed?: unknown): void;
}

export type Job = AppendJob | ChangeJob | PauseJob;

export function jobBytes(items: readonly AppendItem[]): number {
  return items.reduce((sum, { body }) => sum + body.byteLength, 0);
}

/**
 * Takes as many jobs as one batch may hold, at least one. A membership change is a batch of its own, so that it is
 * decided on committed state.
 */
export function takeBatch(jobs: Job[]): AppendJob[] | ChangeJob | PauseJob {
  const first = jobs.shift() as Job;
  if (!("items" in first)) return first;
  const batch = [first];
  let messages = first.items.length;
  let bytes = first.bytes;
  for (let next = jobs[0]; next && "items" in next; next = jobs[0]) {
    messages += next.items.length;
    bytes += next.bytes;
    if (messages > limits.batchMessages || bytes > limits.requestBytes) break;
    batch.push(next);
    jobs.shift();
  }
  return batch;
}
