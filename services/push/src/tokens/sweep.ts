// Tokens whose devices are logged in no more, found by asking: what a revocation did not end, as nobody heard it or there was none.
import { hasPassed, type Logger, repeat } from "@parley/runtime";
import type { Collection } from "@parley/store";
import { allTokens, type FoundToken, type KeptTokens } from "./kept.ts";
import { isLoggedIn, type Login, type Logins } from "./logins.ts";

/** One document: up to when all revocations were known to a replica, and when all tokens were last looked at (unix ms). */
export interface MarkDoc {
  knownAt: number;
  sweptAt: number;
}

export interface Sweep {
  /** All tokens are such as a device that is logged in may have, but for what revocations say that are known. */
  isSound(): boolean;
  /** All revocations that still matter are known. */
  known(): void;
  close(): Promise<void>;
}

interface SweepParts {
  kept: KeptTokens;
  logins: Logins;
  changed(uids: readonly string[]): void;
  log: Logger;
}

interface Parts extends SweepParts {
  marks: Collection<MarkDoc>;
  areKnown(): boolean;
}

const key = "tokens";
const hourMs = 3_600_000;
/** api keeps a revocation for 25 h: whoever heard none for longer may have missed one for good. */
const missedMs = 20 * hourMs;
const everyMs = 24 * hourMs;
const againMs = 1_000;
const ownersAtOnce = 8;

/** Begins when revocations are known. */
export function startSweep(parts: Parts): Sweep {
  const { marks, areKnown, log } = parts;
  let isSound = false;
  let isFailing = false;
  let looking: ReturnType<typeof repeat> | undefined;

  async function look(stopped: () => boolean): Promise<void> {
    if (!areKnown()) return;
    const found = await marks.get(key);
    const mark = found?.doc ?? { knownAt: 0, sweptAt: 0 };
    const now = Date.now();
    isSound ||= now - mark.knownAt < missedMs;
    const isDue = hasPassed(mark.sweptAt, everyMs);
    // Each replica looks before it believes any token; later one does for all.
    if (!isSound) await sweepTokens(parts, stopped);
    if (stopped()) return;
    const next = { knownAt: now, sweptAt: isSound && !isDue ? mark.sweptAt : now };
    const isMine = await (found ? marks.update(key, next, found.version) : marks.insert(key, next));
    if (isSound && isDue && isMine) await sweepTokens(parts, stopped);
    isSound = true;
  }

  const work = async (stopped: () => boolean) => {
    isFailing = false;
    await look(stopped).catch((error: unknown) => {
      isFailing = true;
      log.warn({ event: "tokens_not_swept", reason: String(error) });
    });
  };
  return {
    isSound: () => isSound,
    known() {
      if (looking) looking.soon(0);
      else looking = repeat(work, () => (isFailing ? againMs : hourMs));
    },
    async close() {
      await looking?.stop();
    },
  };
}

export async function sweepTokens(parts: SweepParts, isOver: () => boolean): Promise<void> {
  for await (const page of allTokens(parts.kept)) {
    const byOwner = Map.groupBy(page, ({ owner }) => owner);
    const owners = [...byOwner];
    for (let from = 0; from < owners.length && !isOver(); from += ownersAtOnce)
      await Promise.all(
        owners.slice(from, from + ownersAtOnce).map(([owner, tokens]) => sweepOwner(parts, owner, tokens)),
      );
  }
}

async function sweepOwner(
  { kept, logins, changed, log }: SweepParts,
  owner: string,
  tokens: readonly FoundToken[],
): Promise<void> {
  // Asked after the tokens were read: one that is registered meanwhile has another version.
  const known = await logins.of(owner);
  for (const token of tokens) {
    if (await stands(logins, token, known.get(token.clientId))) continue;
    if (!(await kept.remove(token.key, token.version))) continue;
    log.info({ event: "token_swept", uid: token.uid, clientId: token.clientId, kind: token.kind });
    changed([token.uid]);
  }
}

/** A device that logs in has a login while it is good; one that connects by a password or another issuer's token has none. */
async function stands(logins: Logins, { uid, owner, clientId, credential }: FoundToken, login: Login | undefined) {
  const { family, passwordSince } = credential;
  if (isLoggedIn(login, family)) return true;
  if (family !== undefined) return false;
  if (passwordSince !== undefined && !(await logins.isUnchanged(owner, passwordSince))) return false;
  const device = await logins.connection(clientId);
  if (!device.known || device.uid !== owner) return false;
  return (await logins.exists(owner)) && (uid === owner || (await logins.exists(uid)));
}
