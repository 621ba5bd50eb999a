// Collections that are empty on nearly every connection nearly all the time: V8 gives an empty Map or Set room for its first
// entries, here it is there only while there are any.

export class SparseMap<K, V> {
  #entries: Map<K, V> | undefined;

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  get(key: K): V | undefined {
    return this.#entries?.get(key);
  }

  set(key: K, value: V): void {
    this.#entries ??= new Map();
    this.#entries.set(key, value);
  }

  delete(key: K): boolean {
    const found = this.#entries?.delete(key) ?? false;
    if (this.#entries?.size === 0) this.#entries = undefined;
    return found;
  }
}

export class SparseSet<T> {
  #members: Set<T> | undefined;

  get size(): number {
    return this.#members?.size ?? 0;
  }

  all(): Iterable<T> {
    return this.#members ?? [];
  }

  has(member: T): boolean {
    return this.#members?.has(member) ?? false;
  }

  add(member: T): void {
    this.#members ??= new Set();
    this.#members.add(member);
  }

  delete(member: T): boolean {
    const found = this.#members?.delete(member) ?? false;
    if (this.#members?.size === 0) this.#members = undefined;
    return found;
  }
}
