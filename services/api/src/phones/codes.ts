// Codes that prove a phone or a mailbox: sent, sent again, and guessed at most five times.
import { createHmac, randomInt } from "node:crypto";
import { AppError } from "@parley/protocol";
import { hasPassed, type TokenBuckets } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { LoginLimits } from "../accounts/logins/login-limits.ts";
import type { ApiStore, CodeDoc } from "../store.ts";
import type { Sender, SentCode } from "./senders.ts";

export interface CodeParts {
  store: ApiStore;
  signingKey: Uint8Array;
  sender: Sender;
  limits: LoginLimits;
  /** codes to one phone or mailbox, and to all */
  sends: { one: TokenBuckets; all: TokenBuckets };
}

const lifeMs = 5 * 60_000;
const guessesMax = 5;
/** A right code logs in again for so long: its answer may have been lost. */
const graceMs = 30_000;

interface NewCode {
  key: string;
  /** the phone or mailbox */
  to: string;
  deviceKey?: string | undefined;
}

/** Sends a new code; guesses at the one before count on. When it ends (unix ms), or why none is sent. */
export async function sendCode(
  parts: CodeParts,
  { key, to, deviceKey }: NewCode,
  how: Omit<SentCode, "code">,
): Promise<{ expiresAt: number } | AppError> {
  const { store, sender, sends } = parts;
  if (!sender.isOn) return new AppError("forbidden", "this server sends no codes; ask who runs it");
  const fixed = sender.fixed(to);
  const retryAfterMs = fixed === undefined ? Math.max(sends.one.take(to), sends.all.take("")) : 0;
  if (retryAfterMs > 0)
    return new AppError("rate_limited", "too many codes were sent; wait", { details: { retryAfterMs } });
  const code = fixed ?? String(randomInt(1_000_000)).padStart(6, "0");
  const before = (await store.codes.get(key))?.doc;
  const expiresAt = Date.now() + lifeMs;
  const isSame = before?.to === to && before.expiresAt > Date.now() && before.doneAt === undefined;
  const doc: CodeDoc = {
    to,
    hash: hashOf(parts, to, code),
    guesses: isSame && fixed === undefined ? before.guesses : 0,
    expiresAt,
    ...(deviceKey === undefined ? {} : { deviceKey }),
  };
  await store.codes.put([{ key, doc }]);
  if (fixed === undefined) await sender.send({ ...how, code });
  return { expiresAt };
}

/** Undefined: the code is right. A guess is counted before it is looked at. */
export async function checkCode(
  parts: CodeParts,
  kept: Versioned<CodeDoc>,
  code: string,
  from: string,
): Promise<AppError | undefined> {
  const { store, limits } = parts;
  const { doc, key, version } = kept;
  if (doc.guesses >= guessesMax) return new AppError("forbidden", "too many wrong codes; ask for a new one");
  const isCounted = await store.codes.update(key, { ...doc, guesses: doc.guesses + 1 }, version);
  if (!isCounted) return new AppError("conflict", "another guess was made at the same time");
  const right = await limits.guess(doc.to, from, async () => doc.hash === hashOf(parts, doc.to, code));
  if (right instanceof AppError) return right;
  if (!right) return new AppError("unauthenticated", "the code is wrong");
  await store.codes.put([{ key, doc: { ...doc, doneAt: doc.doneAt ?? Date.now() } }]);
  return undefined;
}

/** May it still log somebody in? */
export function isOpen({ expiresAt, doneAt }: CodeDoc): boolean {
  return expiresAt > Date.now() && (doneAt === undefined || !hasPassed(doneAt, graceMs));
}

function hashOf({ signingKey }: CodeParts, to: string, code: string): string {
  return createHmac("sha256", signingKey).update(`code ${to} ${code}`).digest("hex");
}
