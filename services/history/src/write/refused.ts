// Whom users let in, as api tells: of each door the latest is kept, whoever writes it when.
import { type Door, namedMembers, parseConv } from "@parley/protocol";
import type { HistoryStore } from "../keep/store.ts";
import { putForward } from "../project/forward.ts";

export type DirectMessages = NonNullable<Door["direct"]>;

/** Key of a door: uids hold no space and no star. */
function doorKey({ owner, other, account }: Pick<Door, "owner" | "other" | "account">): string {
  if (account !== undefined) return `${owner} *`;
  return other === undefined ? owner : `${owner} ${other}`;
}

/** Key of what is kept of a user's account. */
export function accountKey(owner: string): string {
  return doorKey({ owner, account: "open" });
}

/** Answers them as they are kept: one that was told late is not the one that counts. */
export async function putDoors({ doors }: HistoryStore, told: readonly Door[]): Promise<Door[]> {
  const entries = told.map((door) => ({ key: doorKey(door), doc: door }));
  const kept = await putForward(doors, entries, (stored, ours) => (ours.version > stored.version ? ours : stored));
  return [...kept.values()];
}

type Why = "blocked" | "not_found";
/** One who writes, or is heard of, and who it is that takes it. */
interface Way {
  from: string;
  to: string;
}

/** Whose messages to this conversation are refused, and why: of the two of a direct one. undefined: nobody's. */
export async function readRefused(
  store: HistoryStore,
  conv: string,
  direct: DirectMessages,
): Promise<ReadonlyMap<string, Why> | undefined> {
  const refused = await refusedWays(store, waysOf(conv), direct);
  return refused.length === 0 ? undefined : new Map(refused.map(({ from, why }) => [from, why]));
}

/** Those of `others` who do not take what `uid` writes to them alone, and whose messages it does not take. */
export async function apartFrom(
  store: Pick<HistoryStore, "doors">,
  uid: string,
  { others, direct }: { others: readonly string[]; direct: DirectMessages },
): Promise<ReadonlySet<string>> {
  const ways = [...new Set(others)].flatMap((other) => bothWays(uid, other));
  return new Set((await refusedWays(store, ways, direct)).map(({ from, to }) => (from === uid ? to : from)));
}

async function refusedWays(
  { doors }: Pick<HistoryStore, "doors">,
  ways: readonly Way[],
  direct: DirectMessages,
): Promise<(Way & { why: Why })[]> {
  if (ways.length === 0) return [];
  const keys = ways.flatMap(({ from, to }) => [
    ...[doorKey({ owner: to }), doorKey({ owner: to, other: from })],
    ...[accountKey(from), accountKey(to)],
  ]);
  const kept = await doors.getMany([...new Set(keys)]);
  const of = (door: Pick<Door, "owner" | "other">) => kept.get(doorKey(door))?.doc;
  const isGone = (uid: string) => ["erasing", "gone"].includes(kept.get(accountKey(uid))?.doc.account ?? "");
  const whyOf = ({ from, to }: Way): Why | undefined => {
    if (isGone(from) || isGone(to)) return "not_found";
    const { blocked = false, contact = false } = of({ owner: to, other: from }) ?? {};
    return blocked || (!contact && (of({ owner: to })?.direct ?? direct) === "contacts") ? "blocked" : undefined;
  };
  return ways.flatMap((way) => {
    const why = whyOf(way);
    return why ? [{ ...way, why }] : [];
  });
}

/** Those of `others` who have blocked `uid`. */
export async function blockersOf(
  store: Pick<HistoryStore, "doors">,
  uid: string,
  others: readonly string[],
): Promise<ReadonlySet<string>> {
  const pairWith = (other: string): Pair => ({ owner: other, other: uid });
  const isBlocked = await readBlocked(store, others.map(pairWith));
  return new Set(others.filter((other) => isBlocked(pairWith(other))));
}

type Pair = Required<Pick<Door, "owner" | "other">>;

/** Whether the owner has blocked the other, of these pairs. */
export async function readBlocked(
  { doors }: Pick<HistoryStore, "doors">,
  pairs: readonly Pair[],
): Promise<(pair: Pair) => boolean> {
  const kept = await doors.getMany([...new Set(pairs.map(doorKey))]);
  return (pair) => kept.get(doorKey(pair))?.doc.blocked === true;
}

/** True if one of these doors may be one of the conversation's. */
export function concerns(told: readonly Door[]): (conv: string) => boolean {
  const owners = new Set(told.filter(({ other }) => other === undefined).map(({ owner }) => owner));
  const pairs = new Set(told.map(({ owner, other = "" }) => `${owner} ${other}`));
  return (conv) =>
    waysOf(conv).some(
      ({ from, to }) => owners.has(to) || owners.has(from) || pairs.has(`${to} ${from}`) || pairs.has(`${from} ${to}`),
    );
}

// Who may write to whom there, and to a device whose receipts are told to whom; to oneself everybody may.
function waysOf(conv: string): Way[] {
  if (conv.startsWith("room/")) return [];
  const parsed = parseConv(conv);
  const [one, other] = (parsed && namedMembers(parsed)) ?? [];
  return one === undefined || other === undefined ? [] : bothWays(one, other);
}

function bothWays(one: string, other: string): Way[] {
  return [
    { from: one, to: other },
    { from: other, to: one },
  ];
}
