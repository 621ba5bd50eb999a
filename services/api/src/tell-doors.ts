// Tells every history replica whom users let in.
import { AppError, type Door, type DoorsRequest, historySubject } from "@parley/protocol";
import { type HolderLookup, type NatsConnection, requestJson, sureMs } from "@parley/runtime";

interface Parts {
  nats: NatsConnection;
  holders: HolderLookup;
  /** what is being asked again fails now */
  isClosed(): boolean;
}

const patienceMs = 10_000;
const answerTimeoutMs = 3_000;
const pauseMs = 100;
/** Who holds nothing and has not been at NATS for so long has nothing in hand any more. */
const goneMs = 10_000;

/**
 * Every replica that holds a partition is told, and who held one and may not know that another does. Who takes one over
 * later reads the doors from the store: they are there once the first replica has answered, so who holds what is read
 * again after that.
 */
export async function tellDoors({ nats, holders, isClosed }: Parts, doors: readonly Door[]): Promise<void> {
  const request: DoorsRequest = { doors: [...doors] };
  const deadline = performance.now() + patienceMs;
  /** told, or not there to be told */
  const done = new Set<string>();
  let keptAt = Number.POSITIVE_INFINITY;

  async function tell(instance: string): Promise<void> {
    const waitMs = holders.former().has(instance) ? sureMs : answerTimeoutMs;
    const timeoutMs = Math.max(1, Math.min(waitMs, deadline - performance.now()));
    await requestJson(nats, historySubject("doors", instance), request, { timeoutMs });
    keptAt = Math.min(keptAt, performance.now());
  }

  // Another has held its partitions for so long: it is not sure of them, and asks the store before it stores anything.
  function mayGoWithout(instance: string, error: unknown): boolean {
    const since = holders.former().get(instance);
    if (since === undefined) return false;
    const now = performance.now();
    const isGone = AppError.from(error).details?.reason === "no_responders" && now - since > goneMs;
    return isGone || now - Math.max(since, keptAt) > sureMs;
  }

  for (;;) {
    const untold = [...holders.instances(), ...holders.former().keys()].filter((instance) => !done.has(instance));
    if (untold.length === 0 && keptAt < Number.POSITIVE_INFINITY) return;
    const tries = await Promise.allSettled(untold.map(tell));
    for (const [at, tried] of tries.entries()) {
      const instance = untold[at] as string;
      if (tried.status === "fulfilled" || mayGoWithout(instance, tried.reason)) done.add(instance);
    }
    const isDone = untold.length > 0 && untold.every((instance) => done.has(instance));
    if (!isDone && (isClosed() || performance.now() >= deadline))
      throw new AppError("unavailable", "history does not answer; the outcome is unknown, send it again");
    if (!isDone) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await holders.refresh();
  }
}
