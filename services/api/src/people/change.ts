// Changing a roster: one write of the pair, then history is told who is let in, then both users' devices.
import { AppError, type Contact, limits, noUser } from "@parley/protocol";
import type { Logger, NatsConnection, Pass } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { Call } from "../call.ts";
import { type Finishing, startFinishing } from "../finishing.ts";
import type { History } from "../history.ts";
import type { ApiStore, PairDoc, Side } from "../store.ts";
import { contactsOf } from "./contacts.ts";
import { type Act, decide } from "./decide.ts";
import { doorsOf } from "./doors.ts";
import { withNotices } from "./notices.ts";
import { areContacts, isOver, pairKey, pairOf, type Sides, sidesOf } from "./pairs.ts";
import { keptProfile, maySee } from "./profiles.ts";
import type { RosterSizes } from "./sizes.ts";
import { tellContactsChanged } from "./tell-presence.ts";
import { tellRosterChanged } from "./tell-roster.ts";
import { asRegistered } from "./visible.ts";

export interface RosterParts {
  store: ApiStore;
  history: History;
  nats: NatsConnection;
  sizes: RosterSizes;
  /** marks a point where a test can end the process */
  pass: Pass;
}

const attemptsMax = 50;

/** What the caller's roster says of `id` from now on. A block holds everywhere when this resolves. */
export async function changeRoster(
  parts: RosterParts,
  { id: given, ...act }: Act & { id: string },
  call: Call,
): Promise<Contact | AppError> {
  const [id = given] = await asRegistered(parts.store, call.caller.uid, [given]);
  if (id === call.caller.uid) return new AppError("forbidden", "this is yourself");
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const contact = await changePair(parts, { id, act }, call);
    if (contact) return contact;
  }
  return new AppError("conflict", "the roster was changed again and again at the same time; try again");
}

// undefined: the pair changed meanwhile.
async function changePair(
  parts: RosterParts,
  { id, act }: { id: string; act: Act },
  { caller: { uid }, operation }: Call,
): Promise<Contact | AppError | undefined> {
  const { store, pass } = parts;
  const kept = await store.pairs.get(pairKey(uid, id));
  const before = sidesOf(kept?.doc, uid);
  // Worked again after a crash: it is made, and may not be told.
  if (kept && before.mine.by === operation) return told(parts, kept.doc, { owner: uid, other: id });
  const decided = (await refuse(parts, { id, act, mine: before.mine, uid })) ?? decide(before, act);
  if (decided instanceof AppError) return decided;
  const after = stamped(before, decided, operation);
  if (after.mine === before.mine && after.theirs === before.theirs)
    return kept ? told(parts, kept.doc, { owner: uid, other: id }) : row(parts, uid, id, before);
  const moved = withUntold(pairOf(uid, id, after), { kept: kept?.doc, before, after });
  const pair = withNotices(moved, kept?.doc, Date.now());
  pass("before-relation");
  if (!(await putPair(store, pair, kept?.version))) return undefined;
  if (isOver(before.mine) && !isOver(after.mine)) parts.sizes.grew(uid);
  if (!isOver(before.mine) && isOver(after.mine)) parts.sizes.shrank(uid);
  pass("before-doors");
  const contact = await told(parts, pair, { owner: uid, other: id });
  if (after.mine !== before.mine) tellRosterChanged(parts.nats, uid, contact);
  if (after.theirs !== before.theirs) tellRosterChanged(parts.nats, id, await row(parts, id, uid, sidesOf(pair, id)));
  pass("before-relation-reply");
  return contact;
}

function putPair({ pairs }: ApiStore, pair: PairDoc, version: number | undefined): Promise<boolean> {
  const key = pairKey(pair.a, pair.b);
  return version === undefined ? pairs.insert(key, pair) : pairs.update(key, pair, version);
}

/** Tells of changes that an earlier process, or one that failed, made and did not tell. */
export function startFinishingRosters(parts: RosterParts, log: Logger): Finishing {
  return startFinishing({
    find: () => parts.store.pairs.find({ index: "untold", limit: 100 }),
    begunAt: ({ untold = 0 }) => untold,
    async finish({ doc }: Versioned<PairDoc>) {
      const { a, b } = doc;
      for (const [owner, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const contact = await told(parts, doc, { owner, other });
        // What a block hides was not changed, and is not told.
        if (contact.changedAt > 0) tellRosterChanged(parts.nats, owner, contact);
      }
    },
    trouble: "rosters_unfinished",
    log,
  });
}

// Who would come into the roster must be there for the caller to see. To block and mute any name will do, so that it keeps out who is
// hidden, and tells of nobody whether it is. All else is about what is in the roster.
async function refuse(
  { store, sizes }: RosterParts,
  { id, act, mine, uid }: { id: string; act: Act; mine: Side; uid: string },
): Promise<AppError | undefined> {
  const marks = act.act === "block" || act.act === "mute";
  const unmarks = act.act === "unblock" || act.act === "unmute";
  const comesIn = act.act === "add" || act.act === "request";
  if (!isOver(mine) || !(marks || unmarks || comesIn)) return undefined;
  const profile = marks ? undefined : await keptProfile(store, id);
  if (!marks && !(profile && (await maySee(store, profile.doc, uid)))) return noUser(id);
  if (unmarks) return undefined;
  if (await sizes.isFull(uid)) return new AppError("conflict", `a roster has at most ${limits.rosterContacts} entries`);
  return undefined;
}

/** What changed carries the next version; what did not stays the same object. */
function stamped(before: Sides, { mine, theirs }: Sides, operation: string): Sides {
  const stamp = (old: Side, side: Side, by: Pick<Side, "by">) =>
    isSame(old, side) ? old : { ...side, ...by, changedAt: Math.max(Date.now(), old.changedAt + 1) };
  return { mine: stamp(before.mine, mine, { by: operation }), theirs: stamp(before.theirs, theirs, {}) };
}

function isSame(one: Side, other: Side): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

// History is told where it changes whom one of the two lets in. What is untold of an earlier change still is.
function withUntold(
  pair: PairDoc,
  { kept, before, after }: { kept: PairDoc | undefined; before: Sides; after: Sides },
): PairDoc {
  const isMoved = isOtherDoor(before.mine, after.mine) || isOtherDoor(before.theirs, after.theirs);
  const untold = isMoved ? Math.max(Date.now(), (kept?.untold ?? 0) + 1) : kept?.untold;
  if (untold === undefined) return pair;
  const areParted = (kept?.parted || areContacts(before)) && !areContacts(after);
  return { ...pair, untold, ...(areParted ? { parted: true } : {}) };
}

function isOtherDoor(before: Side, after: Side): boolean {
  return before.blocked !== after.blocked || (before.relation === "contact") !== (after.relation === "contact");
}

/** History knows what it must know of the pair, when this resolves with what one of the two sees. */
async function told(
  parts: RosterParts,
  pair: PairDoc,
  { owner, other }: { owner: string; other: string },
): Promise<Contact> {
  if (pair.untold !== undefined) {
    await Promise.all([parts.history.doors(doorsOf(pair)), tellPresence(parts, pair)]);
    parts.pass("before-told");
    await noteTold(parts, pair);
  }
  return row(parts, owner, other, sidesOf(pair, owner));
}

// A later change is told by who made it.
async function noteTold({ store: { pairs } }: RosterParts, pair: PairDoc): Promise<void> {
  const key = pairKey(pair.a, pair.b);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const kept = await pairs.get(key);
    if (kept?.doc.untold === undefined || kept.doc.untold !== pair.untold) return;
    const { untold: _, parted: __, ...rest } = kept.doc;
    if (await pairs.update(key, rest, kept.version)) return;
  }
}

async function row({ store }: RosterParts, owner: string, other: string, sides: Sides): Promise<Contact> {
  const [contact] = await contactsOf(store, owner, [{ other, sides }]);
  return contact as Contact;
}

// Of those who neither are nor were each other's contact nobody hears anything.
async function tellPresence({ nats }: RosterParts, pair: PairDoc): Promise<void> {
  const are = areContacts(sidesOf(pair, pair.a));
  if (are || pair.parted) await tellContactsChanged(nats, { uid: pair.a, other: pair.b, areContacts: are });
}
