// Sends scheduled messages at their time: every replica looks for what is due, and whichever writes first that it sends a
// message does. The message has its id from the beginning, so that one that is sent again, after a death in between, is a duplicate.
import { AppError, type AppendItem, isForNow } from "@parley/protocol";
import { hasPassed, openTurns, repeat } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { readOutgoing } from "../outgoing.ts";
import type { ScheduledDoc } from "../store.ts";
import type { ScheduledParts } from "./parts.ts";
import { noticeOf } from "./row.ts";

type Kept = Versioned<ScheduledDoc>;

const lookMs = 400;
const pageDocuments = 100;
/** conversations that are sent to at once */
const linesMax = 16;
/** Whoever began to send a message longer ago is dead, or slow: that it is sent by two does no harm. */
const sendingMs = 500;

/** What is due is sent in order in each conversation: one that has to wait holds up those behind it. */
export function startSending(parts: ScheduledParts): { close(): Promise<void> } {
  const { scheduled } = parts.store;
  const lines = new Map<string, Promise<void>>();
  const turns = openTurns({ atOnce: linesMax });
  let closed = false;

  async function look(): Promise<void> {
    const waiting = new Set<string>();
    const due = { index: "due", to: Date.now(), limit: pageDocuments };
    for (let page: string | null | undefined; page !== null && !closed; ) {
      const found = await scheduled.find(page === undefined ? due : { ...due, page });
      for (const [conv, some] of byConversation(found.items)) await begin(conv, some, waiting);
      page = found.next;
    }
  }

  async function begin(conv: string, due: readonly Kept[], waiting: Set<string>): Promise<void> {
    const done = await turns.take();
    if (closed || waiting.has(conv)) return done?.();
    // What is in hand of it goes first: the next look takes this, and all behind it.
    if (lines.has(conv)) {
      waiting.add(conv);
      return done?.();
    }
    lines.set(conv, send(conv, due, waiting).finally(done));
  }

  async function send(conv: string, due: readonly Kept[], waiting: Set<string>): Promise<void> {
    try {
      for (const kept of due) {
        if (!closed && (await sendOne(parts, kept))) continue;
        waiting.add(conv);
        return;
      }
    } catch (error) {
      waiting.add(conv);
      troubled(error);
    } finally {
      lines.delete(conv);
    }
  }

  const troubled = (error: unknown) =>
    parts.log.warn({ event: "scheduled_not_sent", reason: AppError.from(error).message });
  const looking = repeat(
    () => look().catch(troubled),
    () => lookMs,
  );
  return {
    async close() {
      closed = true;
      await looking.stop();
      await Promise.all(lines.values());
    },
  };
}

function byConversation(items: readonly Kept[]): Map<string, Kept[]> {
  const ordered = items.toSorted((one, other) => one.doc.at - other.doc.at);
  return Map.groupBy(ordered, ({ doc }) => doc.conv);
}

const disabled = new AppError("forbidden", "the account is disabled");

/** False: it is not done yet, and is looked at again. */
async function sendOne(parts: ScheduledParts, { key, version, doc }: Kept): Promise<boolean> {
  const { scheduled } = parts.store;
  if (doc.sendingSince !== undefined && !hasPassed(doc.sendingSince, sendingMs)) return false;
  const sending: ScheduledDoc = { ...doc, sendingSince: Date.now() };
  if (!(await scheduled.update(key, sending, version))) return false;
  parts.pass("before-scheduled-send");
  const user = (await parts.store.users.get(doc.uid))?.doc;
  // Of one who is gone nothing is kept, and nobody is to be told.
  const outcome = user && (user.disabled ? disabled : await stored(parts, doc));
  parts.pass("before-scheduled-done");
  if (outcome instanceof AppError) return refused(parts, { key, doc }, outcome);
  await scheduled.remove(key);
  if (outcome) parts.tell(doc.uid, noticeOf(doc, "sent", outcome.seq));
  return true;
}

async function stored({ history }: ScheduledParts, doc: ScheduledDoc): Promise<{ seq: number } | AppError> {
  const body = Buffer.from(doc.body);
  const item = readOutgoing(doc.uid, JSON.parse(doc.body), body);
  if (item instanceof AppError) return item;
  const whole: AppendItem = { ...item, device: doc.device, origin: "api" };
  return history.append(whole).catch(AppError.from);
}

async function refused(
  { store: { scheduled }, tell }: ScheduledParts,
  { key, doc }: Pick<Kept, "key" | "doc">,
  { code, message, details }: AppError,
): Promise<boolean> {
  const isSurelyNot = code === "rate_limited";
  // The outcome is unknown: it is sent again, and nobody takes it back meanwhile.
  if (isForNow({ code }) && !isSurelyNot) return false;
  const kept = await scheduled.get(key);
  if (kept?.doc.sendingSince === undefined) return true;
  const { sendingSince: _, dueAt: __, ...rest } = doc;
  if (isSurelyNot) {
    const retryAt = Date.now() + Number(details?.retryAfterMs ?? 1_000);
    await scheduled.update(key, { ...rest, dueAt: retryAt }, kept.version);
    return false;
  }
  const failed: ScheduledDoc = { ...rest, error: { code, message } };
  if (await scheduled.update(key, failed, kept.version)) tell(doc.uid, noticeOf(failed, "failed"));
  return true;
}
