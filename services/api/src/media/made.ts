// What is made of a file, as the processes that look at it tell it.

/** Pixels, as it is seen: turned as its EXIF says. */
export interface Picture {
  width: number;
  height: number;
  thumbnailOf: { type: string; width: number; height: number };
}

/** `waveform`: loudness from 0 to `loudestBar` along it. */
export interface Sound {
  durationMs?: number;
  waveform?: number[];
}

/** `unreadable`: no program understands it. `too_large`: more bytes, pixels or memory than are spent on it. `too_slow`. */
export type Failure = "unreadable" | "too_large" | "too_slow";

export interface Made extends Sound {
  width?: number;
  height?: number;
  thumbnail?: { bytes: Uint8Array; type: string; width: number; height: number };
}

/** `again`: the process died, which may not be the file's doing. */
export type Outcome = { made: Made } | { failed: Failure } | { again: Failure };
