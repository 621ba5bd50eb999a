// The tokens of all devices: registered, found for those who are told something, and gone when their devices are logged out.
import { AppError } from "@parley/protocol";
import { available, type Logger, type NatsConnection, type Pass } from "@parley/runtime";
import type { Documents } from "@parley/store";
import { openUserCache } from "../user-cache.ts";
import { openKept, tokensFor, tokensForAll, tokensOf } from "./kept.ts";
import { askLogins, type Logins } from "./logins.ts";
import { type RegisteringDevice, registerToken } from "./register.ts";
import { followRevoked } from "./revoked.ts";
import { type MarkDoc, startSweep } from "./sweep.ts";
import { overtaken, type PushToken, type Registration } from "./token.ts";

export interface Tokens {
  logins: Logins;
  /** What each of these users is notified by; who has nothing is missing. Throws `unavailable` while it is not sure who is logged in, or without the store. */
  ofUsers(uids: readonly string[]): Promise<Map<string, readonly PushToken[]>>;
  /** As they are in the store now, by key; those that are gone, or whose devices are logged out, are missing. Throws as `ofUsers`. */
  get(keys: readonly string[]): Promise<Map<string, PushToken>>;
  /** All that tell this user, from the store. */
  list(uid: string): Promise<PushToken[]>;
  /** Answers its key. */
  register(device: RegisteringDevice, registration: Registration): Promise<string | AppError>;
  /** Removes it, if it was not registered again since that time (unix ms). false: it was, or there is none. */
  remove(key: string, registeredBefore?: number): Promise<boolean>;
  /** Those of a device that tell this user. */
  removeDevice(uid: string, clientId: string): Promise<void>;
  /** All that tell this user, or that it registered. */
  removeUser(uid: string): Promise<void>;
  /** A replica changed something of theirs. */
  forget(uids: readonly string[]): void;
  clear(): void;
  /** true, or why nothing may be sent now. */
  areSound(): true | string;
  close(): Promise<void>;
}

interface TokensParts {
  documents: Documents;
  nats: NatsConnection;
  /** Tells all replicas, this one too, whose tokens changed. */
  changed(uids: readonly string[]): void;
  /** marks a point where a test can end the process */
  pass: Pass;
  log: Logger;
}

const usersKnown = 200_000;
const knownMs = 60_000;

export async function openTokens(parts: TokensParts): Promise<Tokens> {
  const { documents, nats, changed, pass, log } = parts;
  const kept = await openKept(documents);
  const marks = await documents.collection<MarkDoc>({ name: "marks" });
  const logins = askLogins(nats);
  const cache = openUserCache({ load: (uids) => tokensForAll(kept, uids), max: usersKnown, ttlMs: knownMs });
  const sweep = startSweep({ kept, marks, logins, changed, areKnown: () => revoked.areKnown(), log });
  const revoked = followRevoked({ nats, kept, changed, onKnown: sweep.known, log });

  function areSound(): true | string {
    if (!revoked.areKnown()) return "revocations are not loaded";
    return sweep.isSound() || "tokens are compared with who is logged in";
  }
  function assertSound(): void {
    const sound = areSound();
    if (sound !== true) throw new AppError("unavailable", sound);
  }
  const removing = removal({ kept, changed });
  return {
    logins,
    areSound,
    async ofUsers(uids) {
      assertSound();
      const found = await available(() => cache.ofUsers(uids));
      for (const [uid, tokens] of found) {
        if (!tokens.some(revoked.isRevoked)) continue;
        const good = tokens.filter((token) => !revoked.isRevoked(token));
        if (good.length > 0) found.set(uid, good);
        else found.delete(uid);
      }
      return found;
    },
    async get(keys) {
      assertSound();
      const found = await available(() => kept.getMany(keys));
      const good = [...found].filter(([, { doc }]) => !revoked.isRevoked(doc));
      return new Map(good.map(([key, { doc }]) => [key, { ...doc, key }]));
    },
    async list(uid) {
      const tokens = await tokensFor(kept, uid);
      const late = new Set(overtaken(tokens));
      return tokens.filter((one) => !late.has(one));
    },
    register: (device, registration) => registerToken({ kept, revoked, changed, pass }, device, registration),
    ...removing,
    forget: cache.forget,
    clear: cache.clear,
    async close() {
      await sweep.close();
      await revoked.close();
    },
  };
}

function removal({
  kept,
  changed,
}: {
  kept: Awaited<ReturnType<typeof openKept>>;
  changed(uids: readonly string[]): void;
}): Pick<Tokens, "remove" | "removeDevice" | "removeUser"> {
  async function removeAll(find: () => ReturnType<typeof tokensOf>): Promise<void> {
    for (let left = await find(); left.length > 0; left = await find()) {
      for (const { key, version } of left) await kept.remove(key, version);
      changed([...new Set(left.map(({ uid }) => uid))]);
    }
  }
  return {
    async remove(key, registeredBefore = Number.POSITIVE_INFINITY) {
      const found = await kept.get(key);
      if (!found || found.doc.registeredAt > registeredBefore || !(await kept.remove(key, found.version))) return false;
      changed([found.doc.uid]);
      return true;
    },
    removeDevice: (uid, clientId) =>
      removeAll(async () => (await tokensOf(kept, uid, clientId)).filter((one) => one.uid === uid)),
    removeUser: (uid) => removeAll(() => tokensOf(kept, uid)),
  };
}
