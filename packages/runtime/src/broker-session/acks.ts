// PUBACKs of one connection: they go out in the order of arrival [MQTT-4.6.0-2], whatever order they are given in.

type Held = { id: number; acked: boolean; next: Held | undefined };

export class AckLine {
  readonly #send: (id: number) => void;
  readonly #ids = new Set<number>();
  #head: Held | undefined;
  #tail: Held | undefined;
  #dead = false;

  constructor(send: (id: number) => void) {
    this.#send = send;
  }

  /** Packets that arrived and whose PUBACK was not sent. */
  get size(): number {
    return this.#ids.size;
  }

  holds(id: number): boolean {
    return this.#ids.has(id);
  }

  /** Takes a place in the line; the answer acknowledges the packet, once. */
  hold(id: number): () => void {
    const held: Held = { id, acked: false, next: undefined };
    if (this.#tail) this.#tail.next = held;
    else this.#head = held;
    this.#tail = held;
    this.#ids.add(id);
    return () => this.#ack(held);
  }

  /** The connection is gone: its packet ids mean nothing on another one. */
  drop(): void {
    this.#dead = true;
    this.#ids.clear();
    this.#head = undefined;
    this.#tail = undefined;
  }

  #ack(held: Held): void {
    held.acked = true;
    if (this.#dead || held !== this.#head) return;
    let first: Held | undefined = held;
    while (first?.acked) {
      this.#ids.delete(first.id);
      this.#send(first.id);
      first = first.next;
    }
    this.#head = first;
    if (!first) this.#tail = undefined;
  }
}
