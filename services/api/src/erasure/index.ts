// Erasure of accounts: asked for by the user with the password, or by an application; begun by one document, then worked until
// it is done, by whichever api lives.
import { AppError, accountRemove, noUser, usersRemove } from "@parley/protocol";
import { type Logger, natsConnected } from "@parley/runtime";
import { loginOf } from "../accounts/logins/login.ts";
import type { LoginLimits } from "../accounts/logins/login-limits.ts";
import type { Passwords } from "../accounts/passwords.ts";
import { type Bound, bind, type Call, guesserOf } from "../call.ts";
import { startFinishing } from "../finishing.ts";
import { knownUser } from "../known-users.ts";
import type { ErasureDoc } from "../store.ts";
import { closeAccount, type ErasureParts, endErasure, eraseKept } from "./erase.ts";
import { openInHand } from "./in-hand.ts";

interface Parts extends ErasureParts {
  passwords: Passwords;
  limits: LoginLimits;
  log: Logger;
}

export interface Erasure {
  methods: Bound[];
  close(): Promise<void>;
}

/** Finishes what an earlier process left, until it is closed. */
export function startErasure(parts: Parts): Erasure {
  const { store, nats, log } = parts;
  const inHand = openInHand({
    remove: (erasure) => eraseKept(parts, erasure),
    end: (erasure) => endErasure(parts, erasure),
    log,
  });
  const begin = async (uid: string, version: number): Promise<void> => {
    const erasure = await beginErasure(parts, uid, version);
    if (natsConnected(nats)) inHand.begin(erasure);
  };
  const finishing = startFinishing({
    find: () => store.erasures.find({ index: "pending", equals: [true], limit: 100 }),
    begunAt: ({ begunAt }) => begunAt,
    finish: async ({ doc }) => inHand.begin(doc),
    trouble: "erasures_unfinished",
    log,
  });
  return {
    methods: [
      bind(accountRemove, (params, call) => removeOwn(parts, begin, params, call)),
      bind(usersRemove, ({ uid }) => removeUser(parts, begin, uid)),
    ],
    async close() {
      await finishing.close();
      parts.others.close();
      await inHand.close();
    },
  };
}

type Begin = (uid: string, version: number) => Promise<void>;

async function removeOwn(parts: Parts, begin: Begin, { password }: { password?: string }, call: Call) {
  const { store, passwords, limits } = parts;
  const { caller } = call;
  const user = await knownUser(store, caller.uid);
  const passwordHash = user && (await loginOf(store, user.doc)).passwordHash;
  const from = guesserOf(call);
  // A login without a password is proven by its token alone.
  const right =
    passwordHash === null && password === undefined
      ? true
      : await limits.guess(caller.uid, from, () => passwords.verify(passwordHash, password ?? "", from));
  if (right instanceof AppError) return right;
  if (!right || !user) return new AppError("unauthenticated", "the password is wrong");
  await begin(caller.uid, user.doc.accountVersion ?? 0);
  return {};
}

async function removeUser({ store }: Parts, begin: Begin, uid: string) {
  const user = await store.users.get(uid);
  if (user) await begin(uid, user.doc.accountVersion ?? 0);
  const erasure = (await store.erasures.get(uid))?.doc;
  if (!erasure) return noUser(uid);
  return { uid, state: erasure.pending ? ("erasing" as const) : ("erased" as const) };
}

/** When this resolves there is no such user. */
async function beginErasure(parts: Parts, uid: string, version: number): Promise<ErasureDoc> {
  const { erasures } = parts.store;
  const now = Date.now();
  const erasure: ErasureDoc = { uid, version: Math.max(now, version + 1), begunAt: now, pending: true };
  await erasures.insert(uid, erasure);
  parts.pass("before-closing");
  const kept = (await erasures.get(uid))?.doc ?? erasure;
  await closeAccount(parts, kept);
  return kept;
}
