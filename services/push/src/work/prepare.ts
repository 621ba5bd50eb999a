// From jobs to notifications: what is still to be said, as its device's user wants it said, in its provider's words.
import { AppError, isForNow, type PushJob } from "@parley/protocol";
import type { Notice } from "../payload/notice.ts";
import { writeNotification } from "../payload/write-notification.ts";
import type { Outgoing } from "../providers/outgoing.ts";
import type { Marks } from "../queue/marks.ts";
import type { PushToken } from "../tokens/token.ts";
import { judge, type SkipReason } from "./judge.ts";
import { type KnownParts, readKnown } from "./known.ts";
import { noticeOf } from "./notice-of.ts";

/** A token as it is kept, without what it was registered with. */
export type KeptToken = Omit<PushToken, "owner" | "credential">;

export interface PrepareParts extends KnownParts {
  /** as they are now; who is gone is missing */
  tokens(keys: readonly string[]): Promise<ReadonlyMap<string, KeptToken>>;
  /** users' devices that are connected and active: `{uid} {clientId}` */
  activeDevices(uids: readonly string[]): Promise<ReadonlySet<string>>;
  marks: Pick<Marks, "of">;
  /** ms: what is older is of no use */
  ttlMs: number;
  now?(): number;
}

export type Prepared =
  | { job: PushJob; skip: SkipReason }
  /** what is asked about it is refused: it will never be sent */
  | { job: PushJob; dead: string }
  | { job: PushJob; token: KeptToken; notice: Notice; outgoing: Outgoing };

/** What is older was kept up by an outage: its device may have come meanwhile, and newer messages stand for it. */
const lateMs = 60_000;
const nobody: ReadonlySet<string> = new Set();

/** One a job, in order. `attempt`: how often they were tried in vain. Throws when what is to be known cannot be had now. */
export async function prepare(parts: PrepareParts, jobs: readonly PushJob[], attempt: number): Promise<Prepared[]> {
  try {
    return await prepareAll(parts, jobs, attempt);
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (isForNow(error)) throw error;
    // One of them is at fault, and the others must not wait for it: it is found by halves.
    if (jobs.length === 1) return [{ job: jobs[0]!, dead: `${error.code}: ${error.message}` }];
    const middle = Math.ceil(jobs.length / 2);
    const halves = [jobs.slice(0, middle), jobs.slice(middle)];
    return (await Promise.all(halves.map((half) => prepare(parts, half, attempt)))).flat();
  }
}

async function prepareAll(parts: PrepareParts, jobs: readonly PushJob[], attempt: number): Promise<Prepared[]> {
  const now = parts.now?.() ?? Date.now();
  const sifted = await sift(parts, jobs, { attempt, now });
  const left = jobs.filter((_, index) => typeof sifted[index] === "object");
  const newer = sifted.flatMap((one) => (typeof one === "object" && one.newer ? [one.newer] : []));
  const known = await readKnown(parts, [...left, ...newer]);
  const judged = (job: PushJob) => judge(job, { ...known(job), now });
  return jobs.map((job, index): Prepared => {
    const found = sifted[index]!;
    if (typeof found === "string") return { job, skip: found };
    if (found.newer && standsForAll(judged(found.newer))) return { job, skip: "merged" };
    const skip = judged(job);
    if (skip !== undefined) return { job, skip };
    const { token } = found;
    const facts = known(job);
    const notice = noticeOf(job, token.language, facts, parts.ttlMs);
    const outgoing = writeNotification(notice, token, now);
    return outgoing === undefined ? { job, skip: "nothing_to_say" } : { job, token, notice, outgoing };
  });
}

/** A newer one that is recalled, muted or blocked is not told of: then it takes no other one's place. */
function standsForAll(skip: SkipReason | undefined): boolean {
  return skip === undefined || skip === "read";
}

/** A job's token, and the newest message of its conversation, which may stand for it. */
interface Sifted {
  token: KeptToken;
  newer?: PushJob;
}

/** One a job: why it is not sent, as far as that is known without looking at the conversation. */
async function sift(
  parts: PrepareParts,
  jobs: readonly PushJob[],
  { attempt, now }: { attempt: number; now: number },
): Promise<(Sifted | SkipReason)[]> {
  const isLate = (job: PushJob) => attempt > 0 || now - job.at > lateMs;
  const late = jobs.filter(isLate);
  const [tokens, marks, active] = await Promise.all([
    parts.tokens([...new Set(jobs.map(({ token }) => token))]),
    parts.marks.of(jobs),
    late.length === 0 ? nobody : parts.activeDevices([...new Set(late.map(({ uid }) => uid))]),
  ]);
  return jobs.map((job, index) => {
    const token = tokens.get(job.token);
    if (token?.uid !== job.uid || token.clientId !== job.clientId) return "token_gone";
    if (marks[index]?.isSent) return "sent_already";
    if (now - job.at > parts.ttlMs) return "expired";
    if (!isLate(job)) return { token };
    if (active.has(`${job.uid} ${job.clientId}`)) return "connected";
    const seq = marks[index]?.newer;
    return { token, ...(seq !== undefined && { newer: { ...job, seq } }) };
  });
}
