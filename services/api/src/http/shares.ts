// So many at once of all together, and half as many, or so many, of one address or user.

export interface Shares {
  /** What gives the place back, or undefined when there is none. */
  take(of: string): (() => void) | undefined;
  taken(): number;
}

export function openShares(max: number, mostOfOne = Math.ceil(max / 2)): Shares {
  const byOwner = new Map<string, number>();
  let taken = 0;
  return {
    taken: () => taken,
    take(of) {
      const its = byOwner.get(of) ?? 0;
      if (taken >= max || its >= mostOfOne) return undefined;
      taken += 1;
      byOwner.set(of, its + 1);
      return () => {
        taken -= 1;
        const left = (byOwner.get(of) ?? 1) - 1;
        if (left > 0) byOwner.set(of, left);
        else byOwner.delete(of);
      };
    },
  };
}
