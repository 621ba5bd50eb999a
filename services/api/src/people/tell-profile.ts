// Tells a user's contacts that what they see of the profile changed: their entries of the user get the next version, and their
// devices are told. The mark on the profile is there until all were. Every replica looks for marks; whoever moves one on first tells.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@parley/protocol";
import { type Logger, type NatsConnection, openTurns, type Pass, repeat } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { ApiStore, PairDoc, ProfileDoc } from "../store.ts";
import { contactOf } from "./contacts.ts";
import { isOver, pairOf, type Sides, sidesOf } from "./pairs.ts";
import { tellRosterChanged } from "./tell-roster.ts";

interface Parts {
  store: ApiStore;
  nats: NatsConnection;
  /** marks a point where a test can end the process */
  pass: Pass;
}

type Kept = Versioned<ProfileDoc>;

const lookMs = 400;
const pageProfiles = 100;
/** users whose contacts are told at once */
const linesMax = 8;
const pagePairs = 200;
/** between pages: the routers have other work */
const pagePauseMs = 50;
/** Whoever began a page longer ago is dead, or slow: that contacts are told twice does no harm. */
const claimMs = 2_000;
const attemptsMax = 50;

/** Goes on until it is closed. */
export function startTellingProfiles(parts: Parts, log: Logger): { close(): Promise<void> } {
  const { profiles } = parts.store;
  const lines = new Set<Promise<void>>();
  const turns = openTurns({ atOnce: linesMax });
  const troubled = (error: unknown) => log.warn({ event: "profiles_not_told", reason: AppError.from(error).message });

  async function look(stopped: () => boolean): Promise<void> {
    const { items } = await profiles.find({ index: "tell", to: Date.now(), limit: pageProfiles });
    for (const kept of items) {
      const done = await turns.take();
      if (stopped()) return done?.();
      const line = tellContacts(parts, kept, stopped)
        .catch(troubled)
        .finally(() => {
          lines.delete(line);
          done?.();
        });
      lines.add(line);
    }
  }

  const looking = repeat(
    (stopped) => look(stopped).catch(troubled),
    () => lookMs,
  );
  return {
    async close() {
      await looking.stop();
      await Promise.all(lines);
    },
  };
}

// A later change has a mark of its own, by which all are told anew.
async function tellContacts(parts: Parts, kept: Kept, isClosed: () => boolean): Promise<void> {
  const { pairs, profiles } = parts.store;
  let claimed = await claim(parts.store, kept, { toldAt: Date.now() });
  const { uid } = kept.doc;
  for (const index of ["ofA", "ofB"] as const)
    for (let page: string | null | undefined; page !== null && claimed; ) {
      const query = { index, equals: [uid], limit: pagePairs, ...(page === undefined ? {} : { page }) };
      const { items, next } = await pairs.find(query);
      await tellSome(parts, claimed.doc, items);
      page = next;
      if (next === null) continue;
      await sleep(pagePauseMs);
      if (isClosed()) return;
      claimed = await claim(parts.store, claimed, {});
    }
  if (!claimed) return;
  const { tellAt: _, ...told } = claimed.doc;
  await profiles.update(uid, told, claimed.version);
}

/** undefined: another replica tells, or the profile changed again. */
async function claim(
  { profiles }: ApiStore,
  { key, doc, version }: Kept,
  begun: Pick<ProfileDoc, "toldAt">,
): Promise<Kept | undefined> {
  const tellAt = Date.now() + claimMs;
  if (!(await profiles.update(key, { ...doc, ...begun, tellAt }, version))) return undefined;
  const claimed = await profiles.get(key);
  return claimed?.doc.tellAt === tellAt ? claimed : undefined;
}

async function tellSome(
  { store: { pairs }, nats, pass }: Parts,
  profile: ProfileDoc,
  some: readonly Versioned<PairDoc>[],
) {
  let left = some;
  for (let attempt = 0; attempt < attemptsMax && left.length > 0; attempt++) {
    const moved = left.flatMap(({ key, version, doc }) => {
      const sides = sidesOf(doc, profile.uid);
      return isTold(sides) ? [{ key, ifVersion: version, doc: movedOn(doc, profile.uid, sides) }] : [];
    });
    if (moved.length === 0) return;
    pass("before-entries");
    const written = await pairs.writeMany(moved);
    pass("before-contacts-told");
    for (const [at, { doc }] of moved.entries()) {
      if (!written[at]) continue;
      const owner = doc.a === profile.uid ? doc.b : doc.a;
      tellRosterChanged(nats, owner, contactOf(profile.uid, sidesOf(doc, owner), profile));
    }
    const changed = moved.filter((_, at) => !written[at]).map(({ key }) => key);
    left = [...(await pairs.getMany(changed)).values()];
  }
}

/** The user lets the other know, and is in the other's roster. */
function isTold({ mine, theirs }: Sides): boolean {
  return mine.relation === "contact" && !mine.blocked && !isOver(theirs);
}

function movedOn(pair: PairDoc, uid: string, { mine, theirs }: Sides): PairDoc {
  const changedAt = Math.max(Date.now(), theirs.changedAt + 1);
  return { ...pair, ...pairOf(uid, pair.a === uid ? pair.b : pair.a, { mine, theirs: { ...theirs, changedAt } }) };
}
