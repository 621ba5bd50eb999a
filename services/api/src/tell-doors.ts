// Tells every history replica whom users let in.
import { AppError, type Door, type DoorsRequest, historySubject } from "@parley/protocol";
import { type HolderLookup, type NatsConnection, requestJson } from "@parley/runtime";

interface Parts {
  nats: NatsConnection;
  holders: HolderLookup;
  /** what is being asked again fails now */
  isClosed(): boolean;
}

const patienceMs = 10_000;
const answerTimeoutMs = 3_000;
const pauseMs = 100;

/**
 * Every replica that holds a partition is told. Who takes one over later reads the doors from the store: they are there
 * once the first replica has answered, so who holds what is read again after that.
 */
export async function tellDoors({ nats, holders, isClosed }: Parts, doors: readonly Door[]): Promise<void> {
  const request: DoorsRequest = { doors: [...doors] };
  const deadline = performance.now() + patienceMs;
  const told = new Set<string>();
  for (;;) {
    const untold = [...holders.instances()].filter((instance) => !told.has(instance));
    if (untold.length === 0 && told.size > 0) return;
    const tries = untold.map(async (instance) => {
      const timeoutMs = Math.max(1, Math.min(answerTimeoutMs, deadline - performance.now()));
      await requestJson(nats, historySubject("doors", instance), request, { timeoutMs });
      told.add(instance);
    });
    const failed = (await Promise.allSettled(tries)).find(({ status }) => status === "rejected");
    if ((failed || told.size === 0) && (isClosed() || performance.now() >= deadline))
      throw new AppError("unavailable", "history does not answer; the outcome is unknown, send it again");
    if (failed || untold.length === 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await holders.refresh();
  }
}
