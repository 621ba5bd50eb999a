// Entries of the log that its index does not have yet, in memory, by all that they are found by.
import type { EntryKey } from "../log.ts";
import { SortedRuns } from "./sorted-runs.ts";

/** An entry's row, and what it is found by. */
export type Keys = EntryKey & {
  row: number;
  q: number;
  pos: number;
  seq: number;
  /** it is in the log no more: the index is not to have it */
  isGone: boolean;
};

/** Added in the order of the log, so each list is in order. */
export class Unindexed {
  size = 0;
  lastRow = 0;
  readonly #inPartition = new Map<number, Keys[]>();
  readonly #inConversation = new Map<string, Keys[]>();
  readonly #withId = new Map<string, Keys[]>();
  /** For whoever writes the index: neighbours there come one after the other. */
  readonly bySeq = new SortedRuns<Keys>((a, b) => compare(a.conv, b.conv) || a.seq - b.seq);
  readonly byKey = new SortedRuns<Keys>((a, b) => compare(a.id, b.id));

  add(keys: Keys): void {
    this.size += 1;
    this.lastRow = keys.row;
    listOf(this.#inPartition, keys.q).push(keys);
    listOf(this.#inConversation, keys.conv).push(keys);
    listOf(this.#withId, keys.id).push(keys);
    this.bySeq.push(keys);
    this.byKey.push(keys);
  }

  /** What was added last was not stored. */
  takeBack(keys: Keys): void {
    keys.isGone = true;
    this.size -= 1;
    this.lastRow = keys.row - 1;
    this.remove(keys);
  }

  remove(keys: Keys): void {
    takeOut(this.#inPartition, keys.q, keys);
    takeOut(this.#inConversation, keys.conv, keys);
    takeOut(this.#withId, keys.id, keys);
  }

  /** Of a message whose sender is forgotten. */
  rename(keys: Keys, { device, id }: Pick<EntryKey, "device" | "id">): void {
    takeOut(this.#withId, keys.id, keys);
    Object.assign(keys, { device, id });
    listOf(this.#withId, id).push(keys);
  }

  /** By `pos`. */
  partition(q: number): readonly Keys[] {
    return this.#inPartition.get(q) ?? none;
  }

  /** By `seq`. */
  conversation(conv: string): readonly Keys[] {
    return this.#inConversation.get(conv) ?? none;
  }

  find({ conv, from, device, id }: EntryKey): Keys | undefined {
    return this.#withId.get(id)?.find((one) => one.conv === conv && one.from === from && one.device === device);
  }

  /** All of them, one partition after the other. */
  byPosition(): Keys[] {
    return [...this.#inPartition.values()].flat();
  }
}

const none: readonly Keys[] = [];

function listOf<K>(lists: Map<K, Keys[]>, name: K): Keys[] {
  const known = lists.get(name);
  if (known) return known;
  const list: Keys[] = [];
  lists.set(name, list);
  return list;
}

function takeOut<K>(lists: Map<K, Keys[]>, name: K, keys: Keys): void {
  const list = lists.get(name) ?? [];
  const at = list.lastIndexOf(keys);
  if (at >= 0) list.splice(at, 1);
  if (list.length === 0) lists.delete(name);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
