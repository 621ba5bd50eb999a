// What comes to a device through several channels is told to it once: in the channel where it was said, or else the first that it comes by.
import { roomConv } from "../../ids.ts";
import { type MembershipEvent, wayOf } from "../../rooms.ts";
import type { Device } from "./device.ts";
import { type StoredMessage, waysOf } from "./messages.ts";

export interface Once {
  /** Was it told where it came from, or by another channel? Where not, it is from now on. */
  isTold(message: StoredMessage): boolean;
}

const copiesMax = 1_000;

/** `topicOf`: where the device hears what is said in a conversation. */
export function openOnce({ tree, parley }: Pick<Device, "tree" | "parley">, topicOf: (conv: string) => string): Once {
  /** sender, device and id of copies → where each was told first */
  const copies = new Map<string, string>();
  /** conv → where its user came in, as far as it was told here: of what was said before it was told nothing there */
  const since = new Map<string, number>();

  function noteEntry({ conv, seq, content }: StoredMessage): void {
    const { event, uids = [], by } = (content.data ?? {}) as Partial<MembershipEvent>;
    if (wayOf(event) === "in" && (uids.includes(tree.uid) || by === tree.uid)) since.set(conv, seq);
  }

  const wasTold = (conv: string, seq: number) => seq > (since.get(conv) ?? 0) && parley.wasTold(conv, seq);

  return {
    isTold(message) {
      const { conv, seq, from, device, id, content } = message;
      if (content.type === "event") noteEntry(message);
      const ways = waysOf(message);
      if (ways.length === 0 && copies.size === 0) return false;
      if (ways.some((way) => wasTold(roomConv(way.id), way.seq))) return true;
      const name = JSON.stringify([from, device, id]);
      const place = `${conv} ${seq}`;
      const first = copies.get(name);
      if (first !== undefined) return first !== place;
      if (ways.length === 0 || !parley.hears(topicOf(conv))) return false;
      copies.set(name, place);
      const [oldest = name] = copies.keys();
      if (copies.size > copiesMax) copies.delete(oldest);
      return false;
    },
  };
}
