import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaOf } from "./media-of.ts";

const id = `f-${"a".repeat(32)}`;

test("a sound that an older version looked at is told in milliseconds and with bars from 0 to 255 as any other", () => {
  const older = { state: "ready", made: { duration: 2.4006, waveform: [0, 50, 100] } } as const;
  const made = { ...older.made, waveform: [...older.made.waveform] };
  assert.deepEqual(mediaOf(id, { ...older, made }), { state: "ready", durationMs: 2_401, waveform: [0, 128, 255] });
  const now = { state: "ready", made: { durationMs: 2_400, waveform: [0, 50, 100] } } as const;
  assert.deepEqual(mediaOf(id, { ...now, made: { ...now.made, waveform: [0, 50, 100] } }), {
    state: "ready",
    durationMs: 2_400,
    waveform: [0, 50, 100],
  });
});

test("a thumbnail is told with its path and media type, and not where it is kept", () => {
  const thumbnail = { blob: "b", type: "image/webp", width: 3, height: 2, size: 40 };
  assert.deepEqual(mediaOf(id, { state: "ready", made: { width: 3, height: 2 }, thumbnail }), {
    ...{ state: "ready", width: 3, height: 2 },
    thumbnail: { url: `/attachments/${id}/thumbnail`, mime: "image/webp", width: 3, height: 2, size: 40 },
  });
  assert.deepEqual(mediaOf(id, { state: "failed", reason: "too_slow" }), { state: "failed", reason: "too_slow" });
});
