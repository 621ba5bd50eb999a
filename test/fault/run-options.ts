// What `npm run fault` is told on its command line.
import { parseArgs } from "node:util";

export const help = `npm run fault -- [options]

  --minutes N    how long (default 30)
  --seed N       the same seed draws the same faults and messages (default: from the clock; it is printed)
  --rate N       messages a second, all senders together (default 60)
  --replicas N   of every service that may have several (default 2)
  --store S      sqlite, mongodb, or the URL of a MongoDB (default: mongodb where it can be had, else sqlite).
                 mongodb: MONGODB_URL, else mongod of the PATH, else mongo-java-server (Java 17 and Maven)
  --no-hostile   without the hostile user, who floods, sends poison, guesses passwords and fills sessions in
                 three rounds of four, beside the honest ones
  --page FILE    also write the ledger there as Markdown, after every round
  --json FILE    the same as JSON
  --help

Starts a cluster of its own in a temporary folder and does everything bad to it that test/fault/faults knows, under
load; checks after every round that nothing acknowledged was lost, doubled, reordered or shown to who may not see it.
Ends with 1 on any violation; the logs are then kept.`;

export interface RunOptions {
  minutes: number;
  seed: number;
  rate: number;
  replicas: number;
  hostile: boolean;
  store: string | undefined;
  page: string | undefined;
  json: string | undefined;
}

/** A string: what is wrong with the arguments. */
export function readOptions(args: string[], now: number): RunOptions | "help" | { problem: string } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        minutes: { type: "string", default: "30" },
        seed: { type: "string", default: String(now % 1_000_000) },
        rate: { type: "string", default: "60" },
        replicas: { type: "string", default: "2" },
        "no-hostile": { type: "boolean", default: false },
        store: { type: "string" },
        page: { type: "string" },
        json: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return "help";
    const { store, page, json } = values;
    const [minutes, seed, rate, replicas] = [values.minutes, values.seed, values.rate, values.replicas].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    if (!(minutes > 0 && minutes <= 10_000)) return { problem: `--minutes ${values.minutes}: a number above 0` };
    if (!Number.isSafeInteger(seed)) return { problem: `--seed ${values.seed}: a whole number` };
    if (!(rate >= 1 && rate <= 2_000)) return { problem: `--rate ${values.rate}: a number from 1 to 2000` };
    if (!(Number.isInteger(replicas) && replicas >= 1 && replicas <= 8))
      return { problem: `--replicas ${values.replicas}: a whole number from 1 to 8` };
    if (store !== undefined && !/^(sqlite|mongodb|mongodb:\/\/.+)$/.test(store))
      return { problem: "--store: sqlite, mongodb or mongodb://…" };
    const hostile = !values["no-hostile"];
    return { minutes, seed, rate, replicas, hostile, store, page, json };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
