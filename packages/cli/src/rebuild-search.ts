// Has search build its index anew, and hears how far it is.
import { type RebuildProgress, type RebuildRequest, subjects, type WireError } from "@parley/protocol";
import type { NatsConnection } from "nats";
import { connectNats } from "./operator-request.ts";

const askMs = 500;
const timeoutMs = 5_000;
/** So long may nobody answer at first, and once it has begun, as search may be started again meanwhile. */
const firstSilenceMs = 5_000;
const silenceMs = 60_000;

/** Resolves when an index that was not there before is the one that is searched. Throws where nobody answers. */
export async function rebuildSearch(url: string, tell: (done: number, of: number) => void): Promise<{ ms: number }> {
  const begunAt = performance.now();
  const nats = await connectNats(url, "search rebuild");
  try {
    const before = await ask(nats, {}, firstSilenceMs);
    for (let now = await ask(nats, { begin: true }); ; now = await ask(nats, {})) {
      if (now.building) tell(now.building.done, now.building.of);
      else if (now.current && now.current.name !== before.current?.name) break;
      await pause();
    }
    return { ms: performance.now() - begunAt };
  } finally {
    await nats.close();
  }
}

async function ask(
  nats: NatsConnection,
  asked: RebuildRequest,
  patienceMs: number = silenceMs,
): Promise<RebuildProgress> {
  const heardAt = performance.now();
  for (;;) {
    try {
      const reply = await nats.request(subjects.rebuildSearch, JSON.stringify(asked), { timeout: timeoutMs });
      const answered = reply.json<RebuildProgress & { error?: WireError }>();
      if (!answered.error) return answered;
      throw new Error(answered.error.message);
    } catch (cause) {
      if (performance.now() - heardAt < patienceMs) await pause();
      else throw new Error(`search does not answer (${(cause as Error).message}): is it running?`, { cause });
    }
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, askMs));
