// Changing a password: no login under the old one outlives it, also when this process dies in between.
import { AppError } from "@parley/protocol";
import type { Logger, Pass } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { Call } from "../call.ts";
import { type Finishing, startFinishing } from "../finishing.ts";
import { knownUser } from "../known-users.ts";
import { type ApiStore, type PasswordChangeDoc, passwordSinceOf, type UserDoc } from "../store.ts";
import type { LoginLimits } from "./login-limits.ts";
import type { Passwords } from "./passwords.ts";
import type { Revoke } from "./revoke.ts";

export interface PasswordChangeParts {
  store: ApiStore;
  passwords: Passwords;
  revoke: Revoke;
  limits: LoginLimits;
  /** marks a point where a test can end the process */
  pass: Pass;
}

/** What was not changed by then never will be. */
const forgetAfterMs = 60_000;

/**
 * One write of the user's document changes the password, which one login keeps and that nobody else does: all refresh tokens
 * obey it at once. Access tokens and connections are told by the revocation that follows, and what was begun is written down
 * before, so that whoever lives makes it.
 */
export async function changePassword(
  parts: PasswordChangeParts,
  { password, newPassword }: { password: string; newPassword: string },
  { caller, operation, address }: Call,
): Promise<Record<string, never> | AppError> {
  const { store, passwords, limits, pass } = parts;
  const { uid, family } = caller;
  const user = await knownUser(store, uid);
  const changeKey = `${uid} ${operation}`;
  let change = user?.doc.passwordBy === operation ? user.doc.passwordChange : undefined;
  // Else it is worked again after a crash: the password is changed, the other logins may not be ended yet.
  if (change === undefined) {
    const right = await limits.guess(uid, address, () => passwords.verify(user?.doc.passwordHash, password, address));
    if (right instanceof AppError) return right;
    if (!right || !user) return new AppError("unauthenticated", "the present password is wrong");
    const passwordHash = await passwords.hash(newPassword, address);
    const since = Math.max(Date.now(), passwordSinceOf(user.doc) + 1);
    change = { since, ...(family === undefined ? {} : { keep: family }) };
    await store.passwordChanges.put([{ key: changeKey, doc: { uid, since, begunAt: Date.now() } }]);
    pass("before-password");
    const doc: UserDoc = { ...user.doc, passwordHash, passwordBy: operation, passwordChange: change };
    if (!(await store.users.update(uid, doc, user.version))) {
      const now = (await store.users.get(uid))?.doc;
      // Another replica may be working the same request.
      if (now?.passwordBy !== operation || now.passwordChange === undefined) {
        await store.passwordChanges.remove(changeKey);
        return new AppError("conflict", "the account was changed at the same time; try again");
      }
      change = now.passwordChange;
    }
  }
  pass("before-revocation");
  await parts.revoke.earlierPasswords(uid, change);
  pass("before-password-reply");
  await store.passwordChanges.remove(changeKey);
  return {};
}

/** Ends the logins that changes left behind: those of an earlier process at once, our own when they are old. */
export function startFinishingChanges(parts: PasswordChangeParts, log: Logger): Finishing {
  return startFinishing({
    find: () => parts.store.passwordChanges.find({ limit: 100 }),
    begunAt: ({ begunAt }) => begunAt,
    finish: (change) => finishChange(parts, change, log),
    trouble: "password_changes_unfinished",
    log,
  });
}

async function finishChange(
  { store, revoke }: PasswordChangeParts,
  { key, doc, version }: Versioned<PasswordChangeDoc>,
  log: Logger,
): Promise<void> {
  const { uid, since, begunAt } = doc;
  const user = await store.users.get(uid);
  const change = user?.doc.passwordChange;
  if (change !== undefined && change.since >= since) {
    await revoke.earlierPasswords(uid, change);
    log.info({ event: "password_change_finished", uid });
  } else {
    if (Date.now() - begunAt < forgetAfterMs) return;
    // Who stood still for so long with the change in hand finds the document moved on, and changes nothing.
    if (user && !(await store.users.update(uid, user.doc, user.version))) return;
  }
  await store.passwordChanges.remove(key, version);
}
