// Disabling and enabling users: one write of the user's document, then everybody who believes a token or takes a message.
import { AppError, noUser, type ResultOf, usersAccount, usersDisable, usersEnable } from "@parley/protocol";
import type { Logger, Pass } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { type Bound, bind } from "../call.ts";
import { type Finishing, startFinishing } from "../finishing.ts";
import type { History } from "../history.ts";
import { accountDoor } from "../people/doors.ts";
import type { ApiStore, UserDoc } from "../store.ts";
import type { Revoke } from "./revoke.ts";

export interface StandingParts {
  store: ApiStore;
  revoke: Revoke;
  history: History;
  /** marks a point where a test can end the process */
  pass: Pass;
}

type Account = ResultOf<typeof usersAccount>;

const attemptsMax = 50;

export function standingMethods(parts: StandingParts): Bound[] {
  return [
    bind(usersAccount, async ({ uid }): Promise<Account | AppError> => {
      const user = await parts.store.users.get(uid);
      if (user) return accountOf(user.doc);
      const erasure = (await parts.store.erasures.get(uid))?.doc;
      return erasure ? { uid, state: erasure.pending ? "erasing" : "erased" } : noUser(uid);
    }),
    bind(usersDisable, ({ uid }) => setDisabled(parts, uid, true)),
    bind(usersEnable, ({ uid }) => setDisabled(parts, uid, false)),
  ];
}

/** Holds everywhere when this resolves. */
async function setDisabled(parts: StandingParts, uid: string, isDisabled: boolean): Promise<Account | AppError> {
  const { users } = parts.store;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const user = await users.get(uid);
    if (!user) return noUser(uid);
    const doc = changed(user.doc, isDisabled);
    if (doc !== user.doc) {
      parts.pass("before-standing");
      if (!(await users.update(uid, doc, user.version))) continue;
    }
    if (doc.untold !== undefined) await tell(parts, doc);
    return accountOf(doc);
  }
  return new AppError("conflict", "the account was changed again and again at the same time; try again");
}

// One that is so already, and not told, is told.
function changed(user: UserDoc, isDisabled: boolean): UserDoc {
  if (isDisabled === (user.disabled === true)) return user;
  const { disabled: _, accountVersion = 0, ...rest } = user;
  const now = Date.now();
  const version = Math.max(now, accountVersion + 1);
  return { ...rest, ...(isDisabled ? { disabled: true } : {}), accountVersion: version, untold: version };
}

/** Tells of changes that an earlier process, or one that failed, made and did not tell. */
export function startFinishingStandings(parts: StandingParts, log: Logger): Finishing {
  return startFinishing({
    find: () => parts.store.users.find({ index: "untold", limit: 100 }),
    begunAt: ({ untold = 0 }) => untold,
    finish: ({ doc }: Versioned<UserDoc>) => tell(parts, doc),
    trouble: "standings_unfinished",
    log,
  });
}

// Its devices first: whoever is let in no longer sends nothing more either.
async function tell({ store: { users }, revoke, history, pass }: StandingParts, user: UserDoc): Promise<void> {
  const { uid, untold } = user;
  pass("before-standing-revocation");
  if (user.disabled) await revoke.user(uid);
  pass("before-standing-doors");
  await history.doors([accountDoor(user)]);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const kept = await users.get(uid);
    // A later change is told by who made it.
    if (kept?.doc.untold === undefined || kept.doc.untold !== untold) return;
    const { untold: _, ...told } = kept.doc;
    if (await users.update(uid, told, kept.version)) return;
  }
}

function accountOf({ uid, disabled }: UserDoc): Account {
  return { uid, state: disabled ? "disabled" : "active" };
}
