// An edge in a process of its own, as it is deployed, with hooks that say yes: to devices whose client id begins so, with a tree.
import { join } from "node:path";
import { treeMountpoint } from "@parley/protocol";
import { createHealth, createLogger, createMetrics, readConfig } from "@parley/runtime";
import { freePort } from "@parley/testkit";
import { settings } from "../src/config.ts";
import { startEdge } from "../src/service.ts";
import { playHooks } from "../test/played-hooks.ts";
import { answerMemory, type MeasuredProcess, startMeasured } from "./measured-process.ts";

export const treeClients = "tree-";
const uid = "alice";

/** Where the tree of a device is. */
export function mountpointOf(clientId: string): string {
  return treeMountpoint({ owner: "user", p: "0", uid, clientId });
}

/** as `npm start` does */
const asDeployed = ["--max-semi-space-size=16"];

interface Options {
  brokerUrl: string;
  password: string;
  /** a CPU profile is left in a temporary folder */
  profile: boolean;
  /** the folder of another Parley, whose edge it is; undefined: this one's */
  checkout?: string | undefined;
  /** of node */
  flags?: readonly string[];
}

export async function startEdgeProcess(
  scope: { after(fn: () => unknown): void },
  { brokerUrl, password, profile, checkout, flags = asDeployed }: Options,
): Promise<MeasuredProcess> {
  const port = await freePort();
  const env = {
    PARLEY_BROKER_URL: brokerUrl,
    EDGE_HOOKS_URL: `http://127.0.0.1:${await startHooks(scope)}`,
    EDGE_MQTT_PORT: String(port),
    EDGE_WS_PORT: "0",
    EDGE_RATE_PACKETS: "1000000",
    EDGE_RATE_BYTES: "1000000000",
  };
  const file = checkout === undefined ? import.meta.filename : join(checkout, "services/edge/scripts/edge-process.ts");
  return startMeasured(scope, { file, args: [password], env, port, profile, flags });
}

/** auth-webhook's part; its answers are good for a minute. */
async function startHooks(scope: { after(fn: () => unknown): void }): Promise<number> {
  const played = await playHooks((hook, { client_id: clientId = "" }) => {
    const isTree = hook.startsWith("auth_on_register") && String(clientId).startsWith(treeClients);
    const modifiers = isTree ? { modifiers: { mountpoint: mountpointOf(clientId), username: uid } } : {};
    return { maxAgeSeconds: 60, body: { result: "ok", ...modifiers } };
  });
  scope.after(played.stop);
  return played.port;
}

async function serve(servicesSecret: string): Promise<void> {
  const edge = await startEdge(readConfig(settings, process.env), {
    instance: "edge-overhead",
    log: createLogger({ service: "edge", level: "error" }),
    health: createHealth(),
    metrics: createMetrics("edge"),
    secrets: () => ({ signingKey: Buffer.alloc(32), servicesSecret, hookSecret: "hook-secret" }),
    secretText: () => "",
    pass: () => undefined,
    draining: new AbortController().signal,
    closing: (_, step) => step(),
  });
  process.once("SIGTERM", () => void edge.close().then(() => process.exit(0)));
}

if (import.meta.main) {
  answerMemory();
  await serve(process.argv[2] ?? "");
}
