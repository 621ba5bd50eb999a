// Devices that are away are notified: how soon after a message is stored, and how many a second.
import { measureLatency } from "../push/latency.ts";
import { measureRate } from "../push/rate.ts";
import type { Scenario } from "../scenario.ts";

export const push: Scenario = {
  does: "stored to provider, and notifications a second of one push process, on local APNs and FCM",
  run: async (bench) => [await measureLatency(bench), await measureRate(bench)],
};
