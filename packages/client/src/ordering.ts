// Each message once and in seq order per conversation, whatever order and how often it arrives. No I/O.
import type { Message } from "@parley/protocol";

/** The messages `after … ` of a conversation are missing although later ones are here. */
export interface Gap {
  conv: string;
  after: number;
  before: number;
}

/** Messages of one conversation that may wait for an earlier one; those further ahead are left to the next sync. */
const earlyMax = 1_000;

export type Ordering = ReturnType<typeof createOrdering>;

interface Track {
  cursor: number;
  early: Map<number, Message>;
  /** the last seq that is known to exist, although the message itself did not come */
  announced: number;
}

/** `cursors`: conv → last seq that was shown already. */
export function createOrdering(cursors: Readonly<Record<string, number>> = {}) {
  const tracks = new Map<string, Track>(
    Object.entries(cursors).map(([conv, cursor]) => [conv, { cursor, early: new Map(), announced: 0 }]),
  );

  function trackOf(conv: string): Track {
    const track = tracks.get(conv) ?? { cursor: 0, early: new Map(), announced: 0 };
    tracks.set(conv, track);
    return track;
  }

  function takeReady(track: Track): Message[] {
    const ready: Message[] = [];
    for (let next = track.early.get(track.cursor + 1); next; next = track.early.get(track.cursor + 1)) {
      track.early.delete(next.seq);
      track.cursor = next.seq;
      ready.push(next);
    }
    return ready;
  }

  return {
    /** A message arrived: those that may be shown now, in order. */
    take(message: Message): Message[] {
      const track = trackOf(message.conv);
      if (message.seq <= track.cursor) return [];
      track.early.set(message.seq, message);
      if (track.early.size > earlyMax && message.seq > track.cursor + 1)
        track.early.delete(Math.max(...track.early.keys()));
      return takeReady(track);
    },

    /**
     * The server said what lies after the cursor: all of it up to `upTo`, so what is missing there is not ours to
     * see (another stay, or retention). Answers what may be shown now.
     */
    fill(conv: string, messages: readonly Message[], upTo: number): Message[] {
      const track = trackOf(conv);
      for (const message of messages) if (message.seq > track.cursor) track.early.set(message.seq, message);
      const known = [...track.early.keys()].filter((seq) => seq <= upTo).sort((a, b) => a - b);
      const ready = known.map((seq) => track.early.get(seq)).filter((message) => message !== undefined);
      for (const seq of known) track.early.delete(seq);
      track.cursor = Math.max(track.cursor, upTo);
      return [...ready, ...takeReady(track)];
    },

    /** Nothing up to `seq` is to be shown. What came early and lies behind it still is, as messages after a gap. */
    skip(conv: string, seq: number): void {
      const track = trackOf(conv);
      track.cursor = Math.max(track.cursor, seq);
      for (const early of track.early.keys()) if (early <= seq) track.early.delete(early);
    },

    /** There is a message `seq` that did not come: it is a gap until it is filled. */
    announce(conv: string, seq: number): void {
      const track = trackOf(conv);
      track.announced = Math.max(track.announced, seq);
    },

    /** What holds up a conversation, if anything does. */
    gap(conv: string): Gap | undefined {
      const track = tracks.get(conv);
      if (!track) return undefined;
      const { cursor, early, announced } = track;
      if (early.size === 0) return announced > cursor ? { conv, after: cursor, before: announced + 1 } : undefined;
      return { conv, after: cursor, before: Math.min(...early.keys()) };
    },

    gaps(): Gap[] {
      return [...tracks.keys()].map((conv) => this.gap(conv)).filter((gap) => gap !== undefined);
    },

    cursor: (conv: string): number => tracks.get(conv)?.cursor ?? 0,

    cursors(): Record<string, number> {
      return Object.fromEntries([...tracks].map(([conv, { cursor }]) => [conv, cursor]));
    },
  };
}
