// What history must know of a pair, and of a user: whom they let in.
import type { Door } from "@parley/protocol";
import type { PairDoc, ProfileDoc, Side, UserDoc } from "../store.ts";

export function doorsOf({ a, b, ofA, ofB }: PairDoc): Door[] {
  const door = (owner: string, other: string, { blocked, relation, changedAt }: Side): Door => {
    return { owner, other, version: changedAt, blocked, contact: relation === "contact" };
  };
  return [...(ofA ? [door(a, b, ofA)] : []), ...(ofB ? [door(b, a, ofB)] : [])];
}

/** Of a user who has chosen who may write. */
export function directDoor({ uid, directMessages: direct = "anyone", directVersion: version = 0 }: ProfileDoc): Door {
  return { owner: uid, version, direct };
}

/** Of a user who was ever disabled. */
export function accountDoor({ uid, disabled, accountVersion: version = 0 }: UserDoc): Door {
  return { owner: uid, version, account: disabled ? "disabled" : "open" };
}
