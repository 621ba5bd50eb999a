// So many at once of all together, and half as many of one address.

export interface Shares {
  /** What gives the place back, or undefined when there is none. */
  take(address: string): (() => void) | undefined;
  taken(): number;
}

export function openShares(max: number): Shares {
  const mostOfOne = Math.ceil(max / 2);
  const byAddress = new Map<string, number>();
  let taken = 0;
  return {
    taken: () => taken,
    take(address) {
      const of = byAddress.get(address) ?? 0;
      if (taken >= max || of >= mostOfOne) return undefined;
      taken += 1;
      byAddress.set(address, of + 1);
      return () => {
        taken -= 1;
        const left = (byAddress.get(address) ?? 1) - 1;
        if (left > 0) byAddress.set(address, left);
        else byAddress.delete(address);
      };
    },
  };
}
