// What is known of a file's picture and sound, as the API shows it.
import { type Attachment, loudestBar, thumbnailUrl } from "@parley/protocol";
import type { LookedAt } from "../store.ts";

const olderLoudest = 100;

export function mediaOf(
  id: string,
  { state, reason, made, thumbnail }: Pick<LookedAt, "state" | "reason" | "made" | "thumbnail">,
): NonNullable<Attachment["media"]> {
  return {
    state,
    ...(reason && { reason }),
    ...(made && inPresentUnits(made)),
    ...(thumbnail && { thumbnail: shown(id, thumbnail) }),
  };
}

function shown(id: string, { type: mime, width, height, size }: NonNullable<LookedAt["thumbnail"]>) {
  return { url: thumbnailUrl(id), mime, width, height, size };
}

function inPresentUnits({ duration, waveform, ...made }: NonNullable<LookedAt["made"]>) {
  if (duration === undefined) return { ...made, ...(waveform && { waveform }) };
  return {
    ...made,
    durationMs: Math.round(duration * 1_000),
    ...(waveform && { waveform: waveform.map((bar) => Math.round((bar * loudestBar) / olderLoudest)) }),
  };
}
