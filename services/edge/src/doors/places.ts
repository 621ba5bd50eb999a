// Who has a place at the doors. A socket that has not said CONNECT gives way when places run out, first of all one of the
// address that has most of them, and is closed when it has said nothing for too long: so nobody keeps others out by silence.
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
  /** Closes those that have been silent for too long; `now` in ms of performance.now(). */
  sweep(now: number): void;
}

/** Of a class, as there is one of each socket. */
class Seat implements Place {
  /** of one address; undefined once it is a device's */
  group: Group | undefined;
  /** ms of performance.now() */
  readonly since = performance.now();
  readonly close: () => void;
  readonly #room: Room;
  #hasLeft = false;

  constructor(room: Room, close: () => void) {
    this.#room = room;
    this.close = close;
  }

  belongTo(address: string): void {
    this.#room.groups.move(this, address);
  }

  spoke(): void {
    this.#room.groups.remove(this);
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#room.taken -= 1;
    this.#room.groups.remove(this);
  }
}

interface Room {
  groups: ReturnType<typeof openGroups>;
  /** seats, also those of devices */
  taken: number;
}

/** The silent sockets of one address, the oldest first. */
type Group = Set<Seat> & { key: string };

export interface PlacesOptions {
  /** sockets of all kinds */
  most: number;
  /** of them without CONNECT */
  silentMost: number;
  /** how long one may say no CONNECT */
  silentMs: number;
  /** One was closed for a newer one, or for its silence. */
  onClose(reason: "crowded_out" | "silent"): void;
}

export function openPlaces({ most, silentMost, silentMs, onClose }: PlacesOptions): Places {
  const groups = openGroups();
  const room: Room = { groups, taken: 0 };
  const crowdOut = (): boolean => {
    const oldest = groups.oldestOfLargest();
    if (oldest !== undefined) close(oldest, "crowded_out");
    return oldest !== undefined;
  };
  const close = (seat: Seat, reason: "crowded_out" | "silent"): void => {
    seat.leave();
    seat.close();
    onClose(reason);
  };
  return {
    take(address, close) {
      const isFull = room.taken >= most || groups.seats() >= silentMost;
      if (isFull && !crowdOut()) return undefined;
      const seat = new Seat(room, close);
      room.taken += 1;
      groups.add(seat, address);
      return seat;
    },
    silent: () => groups.seats(),
    sweep(now) {
      for (const seat of groups.oldestFirst()) {
        if (now - seat.since < silentMs) return;
        close(seat, "silent");
      }
    },
  };
}

/** Seats by address, of which the largest group is found at once, however many there are. */
function openGroups() {
  const byKey = new Map<string, Group>();
  const bySize: Set<Group>[] = [];
  /** the oldest first */
  const all = new Set<Seat>();
  let largest = 0;
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
  const join = (seat: Seat, address: string | undefined): void => {
    const key = address === undefined ? "" : addressKey(address);
    const group = byKey.get(key) ?? Object.assign(new Set<Seat>(), { key });
    byKey.set(key, group);
    seat.group = group.add(seat);
    resized(group, group.size - 1);
  };
  const part = (seat: Seat, group: Group): void => {
    seat.group = undefined;
    group.delete(seat);
    resized(group, group.size + 1);
  };
  return {
    add(seat: Seat, address: string | undefined): void {
      all.add(seat);
      join(seat, address);
    },
    move(seat: Seat, address: string): void {
      if (seat.group === undefined) return;
      part(seat, seat.group);
      join(seat, address);
    },
    remove(seat: Seat): void {
      if (seat.group === undefined) return;
      all.delete(seat);
      part(seat, seat.group);
    },
    oldestOfLargest(): Seat | undefined {
      const [group] = bySize[largest] ?? [];
      const [oldest] = group ?? [];
      return oldest;
    },
    seats: () => all.size,
    oldestFirst: () => all,
  };
}
