// One replica that holds leases, for tests that kill and pause it: prints its held keys whenever they change.
import { connectRedis, createLogger, startLeases } from "@parley/runtime";

const [url = "", instance = "", count = "0"] = process.argv.slice(2);
const log = createLogger({ service: "lease-holder", instance, level: "silent" });
const redis = await connectRedis({ url, log });
const print = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
const leases = startLeases({
  redis,
  kind: "conversation",
  keys: Array.from({ length: Number(count) }, (_, index) => `${index}`),
  instance,
  log,
  alive: () => true,
  async acquire(key) {
    print({ acquired: key });
  },
  async release(key, reason) {
    print({ released: key, reason });
  },
});
// Answers whether the first key is surely its own at the moment of being asked.
process.stdin.on("data", () => print({ fresh: leases.sureUntil("0") > performance.now() }));
