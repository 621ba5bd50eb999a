// How long an upload is waited for.
import { AppError } from "@parley/protocol";

export interface UploadTimes {
  /** bytes without one arriving (ms) */
  silenceMs: number;
  /** from now on to the end of the upload (ms) */
  totalMs: number;
  /** The upload ends when this is aborted. */
  closing: AbortSignal;
}

export interface UploadClock {
  /** Bytes have arrived, or it was not their sender that was waited for. */
  refresh(): void;
  stop(): void;
}

/** Calls `fail` with `unavailable`, perhaps more than once. */
export function startUploadClock(
  { silenceMs, totalMs, closing }: UploadTimes,
  fail: (error: AppError) => void,
): UploadClock {
  const stalled = () => fail(new AppError("unavailable", `no byte arrived for ${silenceMs / 1_000} s`));
  const late = () => fail(new AppError("unavailable", "the upload took too long"));
  const stopped = () => fail(new AppError("unavailable", "the server stops; send it again"));
  const silence = setTimeout(stalled, silenceMs);
  const whole = setTimeout(late, totalMs);
  closing.addEventListener("abort", stopped);
  if (closing.aborted) stopped();
  return {
    refresh: () => void silence.refresh(),
    stop() {
      clearTimeout(silence);
      clearTimeout(whole);
      closing.removeEventListener("abort", stopped);
    },
  };
}
