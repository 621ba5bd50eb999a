// Changing a password: no session under the old one outlives it, also when this process dies in between.
import { AppError, type PasswordChange } from "@parley/protocol";
import { hasPassed, type Logger, type Pass } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { Call } from "../call.ts";
import { type Finishing, startFinishing } from "../finishing.ts";
import { knownUser } from "../known-users.ts";
import type { ApiStore, PasswordChangeDoc } from "../store.ts";
import { latestOf, ownPlaceOf, type PasswordPlace, passwordPlaceOf, placeOfLogin } from "./logins/login.ts";
import type { LoginLimits } from "./logins/login-limits.ts";
import { changedMeanwhile, outdateMoves } from "./logins/share.ts";
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
 * One write of the document that has the password changes it, which one session keeps and that nobody else does: all refresh
 * tokens of all accounts of the login obey it at once. Access tokens and connections are told by the revocations that follow,
 * and what was begun is written down before, so that whoever lives makes them.
 */
export async function changePassword(
  parts: PasswordChangeParts,
  { password, newPassword }: { password: string; newPassword: string },
  { caller, operation, address }: Call,
): Promise<Record<string, never> | AppError> {
  const { store, passwords, limits, pass } = parts;
  const { uid, family } = caller;
  const placeNow = async () => {
    const user = await knownUser(store, uid);
    return user && passwordPlaceOf(store, user);
  };
  let place = await placeNow();
  const changeKey = `${uid} ${operation}`;
  let change = madeBy(place, operation);
  // Else it is worked again after a crash: the password is changed, the other logins may not be ended yet.
  if (change === undefined) {
    const passwordHash = place?.kept.passwordHash;
    const right = await limits.guess(uid, address, () => passwords.verify(passwordHash, password, address));
    if (right instanceof AppError) return right;
    if (!right || !place) return new AppError("unauthenticated", "the present password is wrong");
    const newHash = await passwords.hash(newPassword, address);
    const since = await nextSince(place);
    change = { since, ...(family === undefined ? {} : { keep: family }) };
    const note = { uid, ...(place.login === undefined ? {} : { login: place.login }), since, begunAt: Date.now() };
    await store.passwordChanges.put([{ key: changeKey, doc: note }]);
    pass("before-password");
    if (!(await place.write({ passwordHash: newHash, passwordBy: operation, passwordChange: change }))) {
      place = await placeNow();
      // Another replica may be working the same request.
      change = madeBy(place, operation);
      if (change === undefined) {
        await store.passwordChanges.remove(changeKey);
        return changedMeanwhile();
      }
    }
  }
  pass("before-revocation");
  await endEarlier(parts, place, change);
  pass("before-password-reply");
  await store.passwordChanges.remove(changeKey);
  return {};
}

function madeBy(place: PasswordPlace | undefined, operation: string): PasswordChange | undefined {
  return place?.kept.passwordBy === operation ? place.kept.passwordChange : undefined;
}

// Later than every change that one of the accounts has seen, by whatever clock, and than that of one that is being added.
async function nextSince({ kept, adding, accounts }: PasswordPlace): Promise<number> {
  const changes = (await accounts()).map(({ passwordChange }) => passwordChange);
  return Math.max(Date.now(), latestOf([kept.passwordChange, adding, ...changes]) + 1);
}

async function endEarlier(parts: PasswordChangeParts, place: PasswordPlace | undefined, change: PasswordChange) {
  const accounts = (await place?.accounts()) ?? [];
  const login = place?.login;
  // One that was moved before is not of this login any more: its own change ended what it had.
  const isOfIt = async (uid: string) => login === undefined || (await outdateMoves(parts.store, uid, login));
  await Promise.all(
    accounts.map(async ({ uid }) => {
      if (await isOfIt(uid)) await parts.revoke.earlierPasswords(uid, change);
    }),
  );
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
  parts: PasswordChangeParts,
  { key, doc, version }: Versioned<PasswordChangeDoc>,
  log: Logger,
): Promise<void> {
  const { store } = parts;
  const { uid, login, since, begunAt } = doc;
  const place = login === undefined ? await ownPlaceOf(store, uid) : await placeOfLogin(store, login);
  const change = place?.kept.passwordChange;
  if (change !== undefined && change.since >= since) {
    await endEarlier(parts, place, change);
    log.info({ event: "password_change_finished", uid });
  } else {
    if (!hasPassed(begunAt, forgetAfterMs)) return;
    // Who stood still for so long with the change in hand finds the document moved on, and changes nothing.
    if (place && !(await place.write(place.kept))) return;
  }
  await store.passwordChanges.remove(key, version);
}
