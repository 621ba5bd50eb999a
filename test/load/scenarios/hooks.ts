// The decisions of one auth-webhook: connects by token, publishes and subscribes that no cache answers.
import { join } from "node:path";
import { readSecrets } from "@parley/runtime";
import { benchHooks } from "../../../services/auth-webhook/scripts/hooks-bench.ts";
import type { Scenario } from "../scenario.ts";

const connections = 32;

export const hooks: Scenario = {
  does: "hook decisions a second, one auth-webhook (a connect against the cheapest decision)",
  async run(bench) {
    const cluster = await bench.shared();
    const [webhook] = cluster.wiring.replicas["auth-webhook"];
    const secrets = readSecrets(join(cluster.dir, "secrets"));
    const url = `http://127.0.0.1:${webhook?.hooks}`;
    // Devices of the cluster's own presence, tokens new to it: what a storm of first connects costs.
    const rows = await benchHooks({ url, secrets, connections, seconds: bench.seconds, devices: 2_000 });
    const fastest = Math.max(...rows.map(({ perSecond }) => perSecond));
    return [
      {
        title: "Hook decisions",
        notes: [
          `${connections} requests at a time to one auth-webhook; a connect by token also asks presence and Redis.`,
        ],
        figures: rows.map(({ hook, perSecond }) => ({
          what: hook === "auth_on_register" ? "connects by token, with presence" : hook,
          value: perSecond,
          unit: "/s",
          baseline: { what: "the cheapest decision", value: fastest },
        })),
        tables: [
          {
            head: ["", "p50 ms", "p99 ms", "refused"],
            rows: rows.map(({ hook, p50Ms, p99Ms, refused }) => [hook, p50Ms, p99Ms, refused]),
          },
        ],
      },
    ];
  },
};
