// High-water marks on their way: forward only, at most one packet a second and conversation.

export interface Marks {
  delivered?: number;
  read?: number;
}

export interface ReceiptsOptions {
  publish(packet: { conv: string } & Marks, done: (error?: Error) => void): void;
  /** default 1,000 */
  everyMs?: number;
}

interface Track {
  marks: Marks;
  /** something in `marks` has not been confirmed */
  dirty: boolean;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

export type Receipts = ReturnType<typeof startReceipts>;

export function startReceipts({ publish, everyMs = 1_000 }: ReceiptsOptions) {
  const tracks = new Map<string, Track>();
  let online = false;

  function flush(conv: string, track: Track): void {
    if (!online || !track.dirty || track.timer) return;
    track.dirty = false;
    track.timer = setTimeout(() => {
      track.timer = undefined;
      flush(conv, track);
    }, everyMs);
    publish({ conv, ...track.marks }, (error) => {
      if (error) track.dirty = true;
    });
  }

  return {
    mark(conv: string, { delivered = 0, read = 0 }: Marks): void {
      const track = tracks.get(conv) ?? { marks: {}, dirty: false };
      tracks.set(conv, track);
      const { marks } = track;
      if (delivered <= (marks.delivered ?? 0) && read <= (marks.read ?? 0)) return;
      track.dirty = true;
      if (delivered > (marks.delivered ?? 0)) marks.delivered = delivered;
      if (read > (marks.read ?? 0)) marks.read = read;
      flush(conv, track);
    },

    setOnline(now: boolean): void {
      online = now;
      if (now) for (const [conv, track] of tracks) flush(conv, track);
    },

    /** Sends what waits for its second, and sends nothing from then on. */
    close(): void {
      for (const [conv, track] of tracks) {
        clearTimeout(track.timer);
        track.timer = undefined;
        flush(conv, track);
        clearTimeout(track.timer);
      }
      online = false;
    },
  };
}
