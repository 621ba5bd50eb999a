// Devices that are connected and confirm nothing: which of them are closed, so that what they hold at the broker is bounded.

/** A connected device, by what it was sent and has not confirmed. */
export interface Holder {
  username: string | null;
  owedBytes(): number;
  /** ms for which it has confirmed nothing of it; undefined: it owes nothing */
  owedForMs(): number | undefined;
  /** Closes it and ends its session. */
  give(): void;
}

/** A slow device confirms something within this time. */
const patienceMs = 2000;
/** devices closed at once */
const closedAtOnce = 64;

/** Of each user with more than `maxBytes` those go that hold most; answers how many. */
export function closeOfUsers(holders: Iterable<Holder>, maxBytes: number): number {
  const ofUser = new Map<string | null, Holder[]>();
  for (const holder of holders) {
    if (!isStuck(holder)) continue;
    const own = ofUser.get(holder.username);
    if (own === undefined) ofUser.set(holder.username, [holder]);
    else own.push(holder);
  }
  let closed = 0;
  for (const own of ofUser.values()) {
    let sum = own.reduce((total, holder) => total + holder.owedBytes(), 0);
    for (const holder of worstFirst(own)) {
      if (sum <= maxBytes) break;
      sum -= holder.owedBytes();
      holder.give();
      closed += 1;
    }
  }
  return closed;
}

/** While the broker is short of memory the worst go, whoever's they are: who confirms slowly too when it is `urgent`. */
export function closeWorst(holders: Iterable<Holder>, urgent: boolean): number {
  const found = [...holders].filter((holder) => isStuck(holder) || (urgent && holder.owedBytes() > 0));
  const worst = worstFirst(found).slice(0, closedAtOnce);
  for (const holder of worst) holder.give();
  return worst.length;
}

function isStuck(holder: Holder): boolean {
  return (holder.owedForMs() ?? 0) > patienceMs;
}

function worstFirst(holders: Holder[]): Holder[] {
  return holders.toSorted(
    (one, other) => Number(isStuck(other)) - Number(isStuck(one)) || other.owedBytes() - one.owedBytes(),
  );
}
