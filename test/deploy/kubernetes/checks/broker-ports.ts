// Ports of the broker that Services lead to, held against the listeners of its configuration in deploy/.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { manifests } from "../overlays.ts";
import { podOf, type Resource } from "../resources.ts";
import { servedBy } from "./references.ts";

/** A listener in each configuration; one for TLS that waits for a certificate is there as a comment. */
const configurations: Readonly<Record<string, { file: string; listener: RegExp }>> = {
  emqx: { file: "emqx/emqx.conf", listener: /^ *bind = "0\.0\.0\.0:(\d+)"/gm },
  vernemq: { file: "vernemq/vernemq.conf", listener: /^(?:# )?listener\.\w+\.\w+ = 0\.0\.0\.0:(\d+)/gm },
  edge: { file: "mosquitto/mosquitto.conf", listener: /^listener (\d+)/gm },
};

export function brokerPortComplaints(resources: readonly Resource[]): string[] {
  const settings = resources.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "parley-settings");
  const { PRESENCE_BROKER = "" } = (settings?.data ?? {}) as Record<string, string>;
  const broker = configurations[PRESENCE_BROKER];
  if (broker === undefined) return [`parley-settings: no configuration of the broker "${PRESENCE_BROKER}" is known`];
  const text = readFileSync(join(manifests, "..", broker.file), "utf8");
  const listened = [...text.matchAll(broker.listener)].map(([, port]) => Number(port));
  return resources
    .filter((one) => one.kind === "Service" && leadsToBroker(one, resources))
    .flatMap(({ metadata, spec }) =>
      (spec as { ports: { targetPort: number }[] }).ports
        .filter(({ targetPort }) => !listened.includes(targetPort))
        .map(({ targetPort }) => `Service ${metadata.name}: ${broker.file} does not listen on ${targetPort}`),
    );
}

// With Mosquitto devices are led to edges, which are services of Parley.
function leadsToBroker(service: Resource, resources: readonly Resource[]): boolean {
  const { selector = {} } = service.spec as { selector?: Record<string, string> };
  const isDevices = "parley/devices" in selector;
  if (selector["parley/server"] !== "broker" && !isDevices) return false;
  const [served] = servedBy(service, resources);
  return served === undefined || podOf(served)?.metadata.labels?.["app.kubernetes.io/part-of"] !== "parley";
}
