// Every overlay as the tests build it, and copies of one with a fault.
import { join } from "node:path";
import { build } from "./build.ts";
import { manifests, overlayNames } from "./overlays.ts";
import type { Container, Pod, Resource } from "./resources.ts";
import { containersOf, podOf } from "./resources.ts";

export const overlays = overlayNames();

export function overlay(name: string): Resource[] {
  return build(join(manifests, "overlays", name));
}

/** An overlay in which one object was changed. */
export function withFault(name: string, kind: string, object: string, change: (one: Resource) => void): Resource[] {
  const resources = structuredClone(overlay(name));
  const found = resources.find((one) => one.kind === kind && one.metadata.name === object);
  if (found === undefined) throw new Error(`${name} has no ${kind} ${object}`);
  change(found);
  return resources;
}

/** … of which the pod was changed. */
export function withPodFault(name: string, workload: string, change: (pod: Pod, container: Container) => void) {
  const kind = workload === "edge" ? "StatefulSet" : "Deployment";
  return withFault(name, kind, workload, (one) => change(podOf(one)!.spec, containersOf(one)[0]!));
}
