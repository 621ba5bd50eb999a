// Writes down at once what cannot wait for the next probe: all that is asked for meanwhile goes together.
import { type Broker, probeBroker } from "./broker.ts";
import type { Records } from "./records.ts";

/** Rounds until one client id is written: each takes thousands. */
const roundsMax = 20;

/** Resolves false when the broker does not take it. `visitor`: a client id of the services' own. */
export function openRecordWriter(
  broker: Broker,
  visitor: string,
  records: Pick<Records, "changes" | "isWritten">,
): (clientId: string) => Promise<boolean> {
  let next: Promise<boolean> | undefined;
  let running: Promise<boolean> = Promise.resolve(true);

  async function round(): Promise<boolean> {
    await running;
    const { packets, written } = records.changes();
    next = undefined;
    running = probeBroker(broker, visitor, packets).then((state) => {
      if (state === undefined) return false;
      written();
      return true;
    });
    return running;
  }

  return async (clientId) => {
    for (let rounds = 0; rounds < roundsMax && !records.isWritten(clientId); rounds++) {
      next ??= round();
      if (!(await next)) return false;
    }
    return records.isWritten(clientId);
  };
}
