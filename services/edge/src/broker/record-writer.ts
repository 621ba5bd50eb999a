// Writes down at once what cannot wait for the next probe: all that is asked for meanwhile goes together.
import { openRounds } from "@parley/runtime";
import { type Broker, probeBroker } from "./broker.ts";
import type { Records } from "./records.ts";

/** client ids of one round; what else changed goes with them */
const roundMost = 1_000;
/** Rounds until one client id is written: each takes thousands. */
const roundsMax = 20;

/** Resolves false when the broker does not take it. `visitor`: a client id of the services' own. */
export function openRecordWriter(
  broker: Broker,
  visitor: string,
  records: Pick<Records, "changes" | "isWritten">,
): (clientId: string) => Promise<boolean> {
  const write = openRounds<string, boolean>({
    most: roundMost,
    async work(clientIds) {
      const { packets, written } = records.changes();
      const isTaken = (await probeBroker(broker, visitor, packets)) !== undefined;
      if (isTaken) written();
      return clientIds.map(() => isTaken);
    },
  });

  return async (clientId) => {
    for (let rounds = 0; rounds < roundsMax && !records.isWritten(clientId); rounds++)
      if (!(await write(clientId))) return false;
    return records.isWritten(clientId);
  };
}
