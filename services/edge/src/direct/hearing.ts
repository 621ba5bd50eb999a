// Which of its own topics a native device hears, as far as this connection shows: hooks allow it three, by their names.
import { parseDownlinkTopic } from "@parley/protocol";
import type { ISubscription } from "mqtt-packet";

/** QoS, or "not"; undefined: nobody knows here. The broker may have it from an earlier connection, or is being asked. */
export type Heard = 0 | 1 | 2 | "not" | undefined;

/** `m`: what is for all of the user's devices; `d`: what is for this one. */
export type Kind = "m" | "d";

type Asked = Pick<ISubscription, "topic">;

export interface Hearing {
  /** A SUBSCRIBE goes to the broker. `isPlain`: nothing in it changes what the device is sent. */
  asked(packetId: number, subscriptions: readonly Asked[], isPlain: boolean): void;
  /** The broker's SUBACK. `codes`: one for each of what was asked. */
  answered(packetId: number, codes: Uint8Array): void;
  /** An UNSUBSCRIBE goes to the broker. */
  unsubscribed(): void;
  of(kind: Kind): Heard;
}

const refusedFrom = 0x80;

/** `isNew`: the broker had no session of the device. */
export function openHearing(isNew: boolean): Hearing {
  return new DeviceHearing(isNew ? "not" : undefined);
}

/** Of a class, as there is one of each connection. */
class DeviceHearing implements Hearing {
  #m: Heard;
  #d: Heard;
  /** by packet id, what the codes of its SUBACK are for; undefined: for nothing that counts here */
  #asked: Map<number, (Kind | undefined)[]> | undefined;

  constructor(atFirst: Heard) {
    this.#m = this.#d = atFirst;
  }

  asked(packetId: number, subscriptions: readonly Asked[], isPlain: boolean): void {
    this.#asked ??= new Map();
    this.#asked.set(
      packetId,
      subscriptions.map(({ topic }) => {
        const kind = kindOf(topic);
        // What is heard in another form goes through the broker until it is subscribed anew.
        if (kind !== undefined) this.#set(kind, undefined);
        return isPlain ? kind : undefined;
      }),
    );
  }

  answered(packetId: number, codes: Uint8Array): void {
    const asked = this.#asked?.get(packetId);
    if (asked === undefined) return;
    this.#asked?.delete(packetId);
    if (this.#asked?.size === 0) this.#asked = undefined;
    for (const [index, kind] of asked.entries()) {
      const code = codes[index] ?? refusedFrom;
      if (kind !== undefined && code < refusedFrom) this.#set(kind, code as Heard);
    }
  }

  unsubscribed(): void {
    this.#m = this.#d = undefined;
    // What was asked before is over with it.
    for (const packetId of this.#asked?.keys() ?? []) this.#asked?.set(packetId, []);
  }

  of(kind: Kind): Heard {
    if (this.#asked !== undefined) return undefined;
    return kind === "m" ? this.#m : this.#d;
  }

  #set(kind: Kind, heard: Heard): void {
    if (kind === "m") this.#m = heard;
    else this.#d = heard;
  }
}

function kindOf(topic: string): Kind | undefined {
  const channel = parseDownlinkTopic(topic)?.channel;
  return channel === "e" ? undefined : channel;
}
