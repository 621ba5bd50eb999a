// A limit for what a server is asked.
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../store-error.ts";

const limitMs = 1_800;

/** `unavailable` if the work is not done in time; it goes on. */
export async function withinLimit<T>(work: Promise<T>, place: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(limitMs, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new StoreError("unavailable", `${place}: no answer within ${limitMs} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
    work.catch(() => undefined);
  }
}
