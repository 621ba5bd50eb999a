// Copies of one router to the devices that this edge has: it takes a topic's only while every session that may hear it is connected
// here and the broker has nothing for it, and else says that the broker shall have them.
import { deviceTopic, parseDownlinkTopic } from "@parley/protocol";
import type { CopiesAnswer, CopiesFrame, CopyTopic } from "@parley/protocol/direct-copies";
import type { Copy } from "./direct-device.ts";
import type { Heard, Kind } from "./hearing.ts";

/** A connected native device. */
export interface DirectTarget {
  clientId: string;
  hears(kind: Kind): Heard;
  /** False: it is not open, has much unread, or has too many copies that it has not confirmed. */
  hasRoom(bytes: number): boolean;
  /** Has it not confirmed so much that more may wait behind it at the broker? */
  owesMuch(): boolean;
  holdBack(): void;
  sendDirect(copy: Copy, qos: 0 | 1): void;
  /** The broker gets the next of this topic: what the device has not confirmed is late, if its session would have it behind that. */
  leaveToBroker(topic: string): void;
}

export interface DirectPeople {
  /** undefined: not all of the user's sessions are known to be connected here. */
  devicesOf(uid: string): Iterable<DirectTarget> | undefined;
  /** All connections of the user's native devices. */
  connectionsOf(uid: string): Iterable<DirectTarget>;
  /** undefined: it is not connected here, or twice while one takes over, or somebody hears what is others'. */
  device(clientId: string): DirectTarget | undefined;
  /** Has the user sessions besides this one? */
  hasOthers(uid: string, clientId: string): boolean;
}

export interface HandOut {
  take(frame: CopiesFrame): void;
}

interface Place {
  uid: string;
  kind: Kind;
  clientId: string | undefined;
}

interface FrameState {
  id: number;
  /** copies that have not ended, and one for the frame itself */
  left: number;
}

interface Receiver {
  target: DirectTarget;
  qos: 0 | 1;
}

const openMax = 200_000;

export function openHandOut(people: DirectPeople, answer: (answer: CopiesAnswer) => void): HandOut {
  /** topics whose copies go this way: each closes with one that does not, until the router says that it is through */
  const open = new Set<string>();

  function take({ id, topics, payload }: CopiesFrame): void {
    const state: FrameState = { id, left: 1 };
    const refused: number[] = [];
    if (open.size > openMax) open.clear();
    for (const [index, copyTopic] of topics.entries()) {
      if (handTo(copyTopic, payload, state, index)) continue;
      close(copyTopic.topic);
      refused.push(index);
    }
    if (refused.length > 0) answer({ kind: "refused", id, indexes: refused });
    ended(state);
  }

  /** Before the broker has the next: a device that is cut has what it did not confirm from there, in its order. */
  function close(topic: string): void {
    open.delete(topic);
    for (const target of people.connectionsOf(placeOf(topic)?.uid ?? "")) target.leaveToBroker(topic);
  }

  /** False: the broker is to have it. */
  function handTo({ topic, reopens }: CopyTopic, payload: Buffer, state: FrameState, index: number): boolean {
    const place = placeOf(topic);
    if (place === undefined || !(reopens || open.has(topic))) return false;
    const receivers = receiversOf(place, payload.length, reopens);
    if (receivers === undefined) return false;
    if (reopens) open.add(topic);
    state.left += receivers.length;
    for (const { target, qos } of receivers) {
      if (reopens) target.holdBack();
      target.sendDirect({ topic, payload, end: endOf(state, index, { topic, place, target }) }, qos);
    }
    return true;
  }

  function endOf(
    state: FrameState,
    index: number,
    { topic, place, target }: { topic: string; place: Place; target: DirectTarget },
  ): Copy["end"] {
    return (how) => {
      if (how === "late") {
        open.delete(topic);
        answer({ kind: "late", id: state.id, index, topic: lateTopic(topic, place, target) });
      }
      ended(state);
    };
  }

  function ended(state: FrameState): void {
    state.left -= 1;
    if (state.left === 0) answer({ kind: "done", id: state.id });
  }

  /** The user's others have it: where the device hears what is for it alone, they do not get it again. */
  function lateTopic(topic: string, { uid, kind }: Place, target: DirectTarget): string {
    if (kind === "d" || !people.hasOthers(uid, target.clientId)) return topic;
    const heard = target.hears("d");
    return heard === 1 || heard === 2 ? deviceTopic(uid, target.clientId) : topic;
  }

  function receiversOf({ uid, kind, clientId }: Place, bytes: number, reopens: boolean): Receiver[] | undefined {
    const targets = clientId === undefined ? people.devicesOf(uid) : one(people.device(clientId));
    if (targets === undefined) return undefined;
    const receivers: Receiver[] = [];
    for (const target of targets) {
      const heard = target.hears(kind);
      if (heard === "not") continue;
      if (heard === undefined || !target.hasRoom(bytes) || (reopens && target.owesMuch())) return undefined;
      receivers.push({ target, qos: heard === 0 ? 0 : 1 });
    }
    // Nobody hears it: that is the broker's to say.
    return receivers.length === 0 ? undefined : receivers;
  }

  return { take };
}

function one(target: DirectTarget | undefined): DirectTarget[] | undefined {
  return target === undefined ? undefined : [target];
}

const placesMax = 100_000;
/** null: no device hears it */
const places = new Map<string, Place | null>();

/** Copies for the same topics come again and again. */
function placeOf(topic: string): Place | undefined {
  const known = places.get(topic);
  if (known !== undefined) return known ?? undefined;
  if (places.size >= placesMax) places.clear();
  const place = readPlace(topic);
  places.set(topic, place ?? null);
  return place;
}

function readPlace(topic: string): Place | undefined {
  const found = parseDownlinkTopic(topic);
  if (found === undefined || found.channel === "e") return undefined;
  return { uid: found.uid, kind: found.channel, clientId: found.channel === "d" ? found.clientId : undefined };
}
