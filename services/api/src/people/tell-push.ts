// Tells push of requests and acceptances, whose mark on the pair is there until push has them in its queue, or they are too old.
// Nobody waits for it: with push away, or not there at all, rosters change as ever.
import { AppError, type PushNoticeRequest, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, type Pass, repeat, requestJson } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { ApiStore, PairDoc, PairNotice } from "../store.ts";
import { noticesOf, withoutTold } from "./notices.ts";

interface Parts {
  store: Pick<ApiStore, "pairs">;
  nats: NatsConnection;
  /** marks a point where a test can end the process */
  pass: Pass;
}

type Kept = Versioned<PairDoc>;

const lookMs = 400;
const pagePairs = 100;
const toldAtOnce = 8;
const answerMs = 5_000;
/** Whoever began longer ago is dead. */
const claimMs = 2 * answerMs;
/** Before it is tried again: as long as it waits already, within these. */
const [soonestMs, latestMs] = [1_000, 60_000];
const attemptsMax = 50;

/** Goes on until it is closed. */
export function startTellingPush(parts: Parts, log: Logger): { close(): Promise<void> } {
  const { pairs } = parts.store;
  let isAway = false;

  // While push is away each look tries one: it costs nothing that there are many.
  async function look(stopped: () => boolean): Promise<void> {
    const { items } = await pairs.find({ index: "notify", to: Date.now(), limit: pagePairs });
    for (let at = 0; at < items.length && !stopped(); ) {
      const some = items.slice(at, at + (isAway ? 1 : toldAtOnce));
      at += some.length;
      const answers = await Promise.all(some.map((kept) => tell(parts, kept)));
      if (answers.includes("told")) isAway = false;
      if (!answers.includes("away")) continue;
      if (!isAway)
        log.info({ event: "push_not_told", reason: "push does not answer: it is tried again for ten minutes" });
      isAway = true;
      return;
    }
  }

  const looking = repeat(
    (stopped) =>
      look(stopped).catch((error: unknown) =>
        log.warn({ event: "notices_not_told", reason: AppError.from(error).message }),
      ),
    () => lookMs,
  );
  return { close: looking.stop };
}

/** `none`: nothing of it is to be told any more, or another replica tells it. */
async function tell({ store, nats, pass }: Parts, kept: Kept): Promise<"told" | "away" | "none"> {
  const now = Date.now();
  const due = noticesOf(kept.doc, now);
  if (due.length === 0) {
    await store.pairs.update(kept.key, withoutTold(kept.doc, [], now), kept.version);
    return "none";
  }
  if (!(await store.pairs.update(kept.key, { ...kept.doc, notifyAt: now + claimMs }, kept.version))) return "none";
  const told: PairNotice[] = [];
  for (const { to, by, notice } of due) {
    const request: PushNoticeRequest = { uid: to, kind: notice.kind, by, at: notice.at };
    const isTaken = await requestJson(nats, subjects.pushNotice, request, { timeoutMs: answerMs }).then(
      () => true,
      () => false,
    );
    if (isTaken) told.push(notice);
  }
  pass("before-notice-told");
  await noteTold(store, kept.key, told);
  return told.length === due.length ? "told" : "away";
}

// What came meanwhile is left, and told at the next look.
async function noteTold({ pairs }: Parts["store"], key: string, told: readonly PairNotice[]): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const kept = await pairs.get(key);
    if (kept?.doc.notifyAt === undefined) return;
    const now = Date.now();
    const rest = withoutTold(kept.doc, told, now);
    const waits = noticesOf(rest, now).map(({ notice }) => Math.min(latestMs, Math.max(soonestMs, now - notice.at)));
    const doc = waits.length === 0 ? rest : { ...rest, notifyAt: now + Math.min(...waits) };
    if (await pairs.update(key, doc, kept.version)) return;
  }
}
