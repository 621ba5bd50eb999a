// High-water marks on their way: forward only, at most one packet a second and conversation, until the server has them.
import { backoffMs, type ErrorCode, isForNow } from "@parley/protocol";

export interface Marks {
  delivered?: number;
  read?: number;
}

export interface ReceiptsOptions {
  publish(packet: { id: string; conv: string } & Marks, done: (error?: Error) => void): void;
  /** default 1,000 */
  everyMs?: number;
  random?: () => number;
}

interface Track {
  conv: string;
  /** of its packets */
  id: string;
  marks: Marks;
  /** something in `marks` has not been confirmed */
  dirty: boolean;
  /** refusals one after the other */
  refusals: number;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

export type Receipts = ReturnType<typeof startReceipts>;

const backoff = { baseMs: 1_000, maxMs: 60_000 };

export function startReceipts({ publish, everyMs = 1_000, random = Math.random }: ReceiptsOptions) {
  const tracks = new Map<string, Track>();
  // By the id of their packets, so that a refusal is known for the mark that it refuses.
  const byId = new Map<string, Track>();
  let online = false;

  function trackOf(conv: string): Track {
    const known = tracks.get(conv);
    if (known) return known;
    const track: Track = { conv, id: `mark-${byId.size}`, marks: {}, dirty: false, refusals: 0 };
    tracks.set(conv, track);
    byId.set(track.id, track);
    return track;
  }

  function flush(track: Track): void {
    if (!online || !track.dirty || track.timer) return;
    track.dirty = false;
    wait(track, everyMs);
    publish({ id: track.id, conv: track.conv, ...track.marks }, (error) => {
      if (error) track.dirty = true;
    });
  }

  function wait(track: Track, ms: number): void {
    clearTimeout(track.timer);
    track.timer = setTimeout(() => {
      track.timer = undefined;
      flush(track);
    }, ms);
  }

  return {
    /** Moves marks of this device; answers where they stand. */
    mark(conv: string, marks: Marks): Marks {
      const track = trackOf(conv);
      if (forward(track, marks)) {
        track.dirty = true;
        flush(track);
      }
      return track.marks;
    },

    /** Marks of an earlier run; those behind `known`, which the server had then, are sent. */
    remember(conv: string, marks: Marks, known = 0): void {
      const track = trackOf(conv);
      forward(track, marks);
      track.dirty ||= (marks.read ?? 0) > known;
      flush(track);
    },

    /** The server has these: by a sync, or by a notice that another device of the user caused. It lacks what is further. */
    told(conv: string, { read = 0, lastSeq = Number.MAX_SAFE_INTEGER }: { read?: number; lastSeq?: number }): void {
      const track = trackOf(conv);
      if (Math.min(track.marks.read ?? 0, lastSeq) > read) track.dirty = true;
      forward(track, { read });
      flush(track);
    },

    /** False when it refuses no mark of ours, or refuses one for good: then the application hears of it. */
    refused(id: unknown, code: ErrorCode): boolean {
      const track = byId.get(id as string);
      if (!track || !isForNow({ code })) return false;
      track.refusals = Math.min(track.refusals + 1, 10);
      track.dirty = true;
      wait(track, backoffMs(track.refusals, backoff, random));
      return true;
    },

    setOnline(now: boolean): void {
      online = now;
      if (now) for (const track of tracks.values()) flush(track);
    },

    /** Sends what waits for its second, and sends nothing from then on. */
    close(): void {
      for (const track of tracks.values()) {
        clearTimeout(track.timer);
        track.timer = undefined;
        flush(track);
        clearTimeout(track.timer);
      }
      online = false;
    },
  };
}

/** False when nothing moved. */
function forward({ marks }: Track, { delivered = 0, read = 0 }: Marks): boolean {
  const moves = delivered > (marks.delivered ?? 0) || read > (marks.read ?? 0);
  if (delivered > (marks.delivered ?? 0)) marks.delivered = delivered;
  if (read > (marks.read ?? 0)) marks.read = read;
  return moves;
}
