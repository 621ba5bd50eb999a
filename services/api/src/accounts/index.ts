// The methods of accounts, and what finishes their changes.
import type { Logger } from "@parley/runtime";
import type { Bound } from "../call.ts";
import { keyMethods } from "./keys.ts";
import { startSettlingLogins } from "./logins/share.ts";
import { aliasMethods } from "./names/aliases.ts";
import { loginMethods } from "./own-accounts.ts";
import { startFinishingChanges } from "./password-change.ts";
import { type SessionParts, sessionMethods } from "./sessions.ts";
import { type StandingParts, standingMethods, startFinishingStandings } from "./standing.ts";
import { storageMethods } from "./storage.ts";
import { type UserParts, userMethods } from "./users.ts";

export interface Accounts {
  methods: Bound[];
  /** Resolves when changes of passwords that an earlier process left were tried. */
  first: Promise<void>;
  close(): Promise<void>;
}

/** Finishes what an earlier process left, until it is closed. */
export function startAccounts(parts: UserParts & SessionParts & StandingParts & { log: Logger }): Accounts {
  const { store, signingKey, log } = parts;
  const changes = startFinishingChanges(parts, log);
  const finishing = [changes, startFinishingStandings(parts, log), startSettlingLogins(parts, log)];
  return {
    methods: [
      ...userMethods(parts),
      ...loginMethods(parts),
      ...aliasMethods(parts),
      ...sessionMethods(parts),
      ...storageMethods(parts),
      ...keyMethods(store, signingKey),
      ...standingMethods(parts),
    ],
    first: changes.first,
    async close() {
      await Promise.all(finishing.map((one) => one.close()));
    },
  };
}
