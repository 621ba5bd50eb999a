// From what happened to jobs in the queue: who has tokens, whose devices are away, what each token is told.
import type { PushPresenceReply, PushProvider } from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import type { Enqueue } from "../queue/enqueue.ts";
import type { ProviderJob } from "../queue/jobs.ts";
import type { Marks } from "../queue/marks.ts";
import { decideJobs, type TokenOfDevice, type Told } from "./decide-jobs.ts";

export interface NotifyParts {
  /** who has none may be missing */
  tokensOf(uids: readonly string[]): Promise<ReadonlyMap<string, readonly TokenOfDevice[]>>;
  presenceOf(uids: readonly string[]): Promise<PushPresenceReply["users"]>;
  isOn(provider: PushProvider): boolean;
  enqueue: Enqueue;
  marks: Pick<Marks, "queued">;
  pass: Pass;
}

/** What is told of some large rooms at once would be millions of jobs. */
const receiversAtOnce = 20_000;

/** Resolves when JetStream has all jobs; each inner list becomes messages of its own. Throws `unavailable`. */
export async function notifyOf(parts: NotifyParts, groups: readonly (readonly Told[])[]): Promise<void> {
  let some: Told[][] = [];
  let count = 0;
  for (const group of groups)
    for (const piece of piecesOf(group)) {
      const size = piece.reduce((sum, { receivers }) => sum + receivers.length, 0);
      if (count + size > receiversAtOnce && count > 0) {
        await notifyAtOnce(parts, some);
        [some, count] = [[], 0];
      }
      some.push(piece);
      count += size;
    }
  await notifyAtOnce(parts, some);
}

/** The same ones of the same group whatever stands beside it, so that what comes again has the same name. */
function* piecesOf(group: readonly Told[]): Generator<Told[]> {
  let piece: Told[] = [];
  let count = 0;
  for (const told of group)
    for (let at = 0; at < told.receivers.length; at += receiversAtOnce) {
      const receivers = told.receivers.slice(at, at + receiversAtOnce);
      if (count + receivers.length > receiversAtOnce && count > 0) {
        yield piece;
        [piece, count] = [[], 0];
      }
      piece.push({ ...told, receivers });
      count += receivers.length;
    }
  if (count > 0) yield piece;
}

async function notifyAtOnce(parts: NotifyParts, groups: readonly (readonly Told[])[]): Promise<void> {
  const { tokensOf, presenceOf, isOn, enqueue, marks, pass } = parts;
  const uids = new Set(groups.flat().flatMap(({ receivers }) => receivers.map(({ uid }) => uid)));
  if (uids.size === 0) return;
  const tokens = await tokensOf([...uids]);
  const holders = [...uids].filter((uid) => (tokens.get(uid)?.length ?? 0) > 0);
  if (holders.length === 0) return;
  const presence = await presenceOf(holders);
  const jobs = groups.map((group) => group.flatMap((told): ProviderJob[] => decideJobs(told, tokens, presence, isOn)));
  const all = jobs.flat();
  if (all.length === 0) return;
  // Before they are there, so that whoever finds one of them knows of those behind it.
  await marks.queued(all.map(({ job }) => job));
  pass("before-push-queued");
  await Promise.all(jobs.map((group) => enqueue(group)));
}
