// Who has a place at the doors. A socket that has not said CONNECT gives way when places run out, first of all one of the
// address that has most of them: so nobody keeps others out by sockets that say nothing.
import { addressKey } from "@parley/runtime";

export interface Place {
  /** Tells whose socket it is, where that is not known at once: behind a proxy. */
  belongTo(address: string): void;
  /** CONNECT has come. From now on it is a device's place and nobody else gets it. */
  spoke(): void;
  leave(): void;
}

export interface Places {
  /** `address` is undefined while a proxy has not said whose it is. No place: devices have them all. */
  take(address: string | undefined, close: () => void): Place | undefined;
  silent(): number;
}

interface Seat {
  /** of one address; undefined once it is a device's */
  group: Group | undefined;
  close(): void;
}

/** The silent sockets of one address, the oldest first. */
type Group = Set<Seat> & { key: string };

/** `most` sockets of all kinds, `silentMost` of them without CONNECT. `onCrowdedOut`: one was closed for a newer one. */
export function openPlaces(options: { most: number; silentMost: number; onCrowdedOut(): void }): Places {
  const groups = openGroups();
  let taken = 0;
  const crowdOut = (): boolean => {
    const oldest = groups.oldestOfLargest();
    if (oldest === undefined) return false;
    leave(oldest);
    oldest.close();
    options.onCrowdedOut();
    return true;
  };
  const left = new WeakSet<Seat>();
  const leave = (seat: Seat): void => {
    if (left.has(seat)) return;
    left.add(seat);
    taken -= 1;
    groups.remove(seat);
  };
  return {
    take(address, close) {
      const isFull = taken >= options.most || groups.seats() >= options.silentMost;
      if (isFull && !crowdOut()) return undefined;
      const seat: Seat = { group: undefined, close };
      taken += 1;
      groups.add(seat, address);
      return {
        belongTo(known) {
          if (seat.group === undefined) return;
          groups.remove(seat);
          groups.add(seat, known);
        },
        spoke: () => groups.remove(seat),
        leave: () => leave(seat),
      };
    },
    silent: () => groups.seats(),
  };
}

/** Seats by address, of which the largest group is found at once, however many there are. */
function openGroups() {
  const byKey = new Map<string, Group>();
  const bySize: Set<Group>[] = [];
  let largest = 0;
  let seats = 0;
  const resized = (group: Group, sizeBefore: number): void => {
    bySize[sizeBefore]?.delete(group);
    if (group.size === 0) byKey.delete(group.key);
    else {
      bySize[group.size] ??= new Set();
      bySize[group.size]?.add(group);
    }
    largest = Math.max(largest, group.size);
    while (largest > 0 && !bySize[largest]?.size) largest -= 1;
  };
  return {
    add(seat: Seat, address: string | undefined): void {
      const key = address === undefined ? "" : addressKey(address);
      const group = byKey.get(key) ?? Object.assign(new Set<Seat>(), { key });
      byKey.set(key, group);
      seat.group = group.add(seat);
      seats += 1;
      resized(group, group.size - 1);
    },
    remove(seat: Seat): void {
      const { group } = seat;
      if (group === undefined) return;
      seat.group = undefined;
      group.delete(seat);
      seats -= 1;
      resized(group, group.size + 1);
    },
    oldestOfLargest(): Seat | undefined {
      const [group] = bySize[largest] ?? [];
      const [oldest] = group ?? [];
      return oldest;
    },
    seats: () => seats,
  };
}
