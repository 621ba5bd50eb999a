// Changing a password: no session that the old one made outlives it, also when this process dies in between.
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { Call } from "../call.ts";
import { startFinishing } from "../finishing.ts";
import type { ApiStore, PasswordChangeDoc, UserDoc } from "../store.ts";
import type { LoginLimits } from "./login-limits.ts";
import type { Passwords } from "./passwords.ts";
import type { Revoke } from "./revoke.ts";

export interface PasswordChangeParts {
  store: ApiStore;
  passwords: Passwords;
  revoke: Revoke;
  limits: LoginLimits;
}

/** What was not changed by then never will be. */
const forgetAfterMs = 60_000;

export async function changePassword(
  parts: PasswordChangeParts,
  { password, newPassword }: { password: string; newPassword: string },
  { caller, operation, address }: Call,
): Promise<Record<string, never> | AppError> {
  const { store, passwords, limits } = parts;
  const { uid, clientId } = caller;
  const user = await store.users.get(uid);
  const changeKey = `${uid} ${operation}`;
  // Worked again after a crash: the password is changed, the other devices may not be revoked yet.
  if (user?.doc.passwordBy !== operation) {
    const right = await limits.guess(uid, address, () => passwords.verify(user?.doc.passwordHash, password, address));
    if (right instanceof AppError) return right;
    if (!right || !user) return new AppError("unauthenticated", "the present password is wrong");
    const passwordHash = await passwords.hash(newPassword, address);
    const begun: PasswordChangeDoc = {
      uid,
      passwordHash,
      begunAt: Date.now(),
      ...(clientId ? { keep: clientId } : {}),
    };
    await store.passwordChanges.put([{ key: changeKey, doc: begun }]);
    const doc: UserDoc = { ...user.doc, passwordHash, passwordBy: operation };
    const changed = await store.users.update(uid, doc, user.version);
    // Another replica may be working the same request.
    if (!changed && (await store.users.get(uid))?.doc.passwordBy !== operation) {
      await store.passwordChanges.remove(changeKey);
      return new AppError("conflict", "the account was changed at the same time; try again");
    }
  }
  if (await parts.revoke.otherDevices(uid, clientId)) await store.passwordChanges.remove(changeKey);
  return {};
}

/** Ends the sessions that changes left behind: those of an earlier process at once, our own when they are old. */
export function startFinishingChanges(parts: PasswordChangeParts, log: Logger): { close(): Promise<void> } {
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
  const { uid, keep, passwordHash, begunAt } = doc;
  const changed = (await store.users.get(uid))?.doc.passwordHash === passwordHash;
  if (!changed && Date.now() - begunAt < forgetAfterMs) return;
  if (changed && !(await revoke.otherDevices(uid, keep))) return;
  await store.passwordChanges.remove(key, version);
  if (changed) log.info({ event: "password_change_finished", uid });
}
