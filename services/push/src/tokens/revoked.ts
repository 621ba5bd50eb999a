// Tokens of devices that were logged out, of whose users were disabled, or whose password changed: nothing is sent to them, and they go.
import { isRevokedBy, type Revocation, revocationKey, subjects } from "@parley/protocol";
import {
  type Logger,
  type NatsConnection,
  onNatsLost,
  openRevocationList,
  parseJson,
  readRevocation,
  takeMissedRevocations,
} from "@parley/runtime";
import { type KeptTokens, tokensOf } from "./kept.ts";
import type { TokenCredential, TokenDoc } from "./token.ts";

export interface Revoked {
  /** By what is known of revocations at this moment. */
  isRevoked(token: Pick<TokenDoc, "uid" | "owner" | "clientId" | "credential">): boolean;
  /** All revocations that still matter are known: false from the start, and from a loss of NATS, until they were loaded. */
  areKnown(): boolean;
  close(): Promise<void>;
}

interface Parts {
  nats: NatsConnection;
  kept: KeptTokens;
  /** Tokens of these users went. */
  changed(uids: readonly string[]): void;
  /** All that may have been missed is known. */
  onKnown(): void;
  log: Logger;
}

const againMs = 1_000;
const dropMs = 60_000;

export function followRevoked(parts: Parts): Revoked {
  const { nats, log, onKnown } = parts;
  const list = openRevocationList();
  const waiting = new Map<string, Revocation>();
  let known = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let closed = false;

  async function work(): Promise<void> {
    while (waiting.size > 0)
      for (const [key, revocation] of waiting) {
        if (closed) return;
        await endTokens(parts, revocation);
        if (waiting.get(key) === revocation) waiting.delete(key);
      }
  }

  // Whoever dies meanwhile finds them again at the start; each replica looks, so that one that dies leaves nothing behind.
  function begin(): void {
    clearTimeout(timer);
    running ??= work()
      .catch((error: unknown) => {
        log.warn({ event: "revoked_tokens_left", reason: String(error) });
        if (!closed) timer = setTimeout(begin, againMs);
      })
      .finally(() => {
        running = undefined;
      });
  }

  function take(revocation: Revocation): void {
    list.add(revocation);
    waiting.set(revocationKey(revocation), revocation);
    begin();
  }

  const subscription = nats.subscribe(subjects.revoked, {
    callback: (error, message) => {
      if (error) return void log.error({ event: "subscription_failed", subject: subjects.revoked, err: error });
      try {
        take(readRevocation(parseJson(message.data) as Revocation));
      } catch (err) {
        log.error({ event: "revocation_unreadable", err });
      }
    },
  });
  let lost = () => {};
  const missed = takeMissedRevocations({
    nats,
    take,
    taken() {
      known = true;
      lost = onNatsLost(nats, () => {
        known = false;
      });
      onKnown();
    },
    log,
  });
  const dropping = setInterval(list.dropExpired, dropMs);
  return {
    isRevoked: ({ uid, owner, clientId, credential }) =>
      [...new Set([uid, owner])].some((one) => list.isRevoked(one, asMade(clientId, credential))),
    areKnown: () => known,
    async close() {
      closed = true;
      missed.close();
      lost();
      if (!nats.isClosed()) subscription.unsubscribe();
      clearInterval(dropping);
      clearTimeout(timer);
      await running;
    },
  };
}

function asMade(clientId: string, { issuedAt, passwordSince, family }: TokenCredential) {
  return { clientId, issuedAt, passwordSince, family };
}

/**
 * Those of a login that lives on stay: by its family. Another login under the same client id may be somebody else's, who knew the
 * password.
 */
async function endTokens({ kept, log, changed }: Parts, revocation: Revocation): Promise<void> {
  const touched = new Set<string>();
  // A token that was registered anew at the same time is looked at again.
  for (let again = true; again; ) {
    again = false;
    for (const { key, version, ...token } of await tokensOf(kept, revocation.uid, revocation.clientId)) {
      const { uid, clientId, kind, credential } = token;
      if (!isRevokedBy(asMade(clientId, credential), revocation)) continue;
      if (!(await kept.remove(key, version))) {
        again = true;
        continue;
      }
      touched.add(uid);
      log.info({ event: "token_revoked", uid, clientId, kind });
    }
  }
  if (touched.size > 0) changed([...touched]);
}
