// What two users are to each other, as it is kept: one document a pair.
import type { ApiStore, PairDoc, Side } from "../store.ts";

/** Both sides as one of the two sees them. */
export interface Sides {
  mine: Side;
  theirs: Side;
}

/** One who never had anything to do with the other. */
export const never: Side = {
  relation: "none",
  blocked: false,
  muted: false,
  nick: "",
  group: "",
  note: "",
  tags: [],
  changedAt: 0,
};

export function pairKey(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}

export function sidesOf(pair: PairDoc | undefined, me: string): Sides {
  const { ofA = never, ofB = never } = pair ?? {};
  return pair === undefined || pair.a === me ? { mine: ofA, theirs: ofB } : { mine: ofB, theirs: ofA };
}

/** The document of two sides. */
export function pairOf(me: string, other: string, { mine, theirs }: Sides): PairDoc {
  const [ofA, ofB] = me < other ? [mine, theirs] : [theirs, mine];
  const over = isOver(mine) && isOver(theirs) ? { overSince: Math.max(mine.changedAt, theirs.changedAt) } : {};
  return {
    a: me < other ? me : other,
    b: me < other ? other : me,
    ...(ofA.changedAt > 0 ? { ofA } : {}),
    ...(ofB.changedAt > 0 ? { ofB } : {}),
    changedAt: Math.max(ofA.changedAt, ofB.changedAt),
    ...over,
  };
}

/** The other user is nothing to this one: not in the roster. */
export function isOver({ relation, blocked, muted }: Side): boolean {
  return relation === "none" && !blocked && !muted;
}

/** Each is the other's contact, and neither has blocked: only such two know of each other's presence. */
export function areContacts({ mine, theirs }: Sides): boolean {
  return [mine, theirs].every(({ relation, blocked }) => relation === "contact" && !blocked);
}

/** True if `other` is in the roster of `uid`, and not blocked. */
export async function hasAsContact({ pairs }: ApiStore, uid: string, other: string): Promise<boolean> {
  const { mine } = sidesOf((await pairs.get(pairKey(uid, other)))?.doc, uid);
  return mine.relation === "contact" && !mine.blocked;
}
