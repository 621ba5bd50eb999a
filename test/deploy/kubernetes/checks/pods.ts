// How pods of services are to run: without rights that they do not need, ended in time, spread, and never all at once.
import { podOf, type Resource } from "../resources.ts";
import { serviceOf, workloadsOf } from "./containers.ts";
import { servedBy } from "./references.ts";

/** What runMain gives a service to end (packages/runtime/src/process/main.ts), in seconds. */
const closeLimitSeconds = 10;

interface PodSpec {
  automountServiceAccountToken?: boolean;
  serviceAccountName?: string;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: Record<string, unknown>;
  topologySpreadConstraints?: { topologyKey: string; matchLabelKeys?: string[] }[];
}

export function podComplaints(resources: readonly Resource[]): string[] {
  return workloadsOf(resources).flatMap((workload) => {
    const { name } = workload.metadata;
    return [
      ...rights(workload),
      ...ending(workload, resources),
      ...spread(workload),
      ...disruption(workload, resources),
    ].map((complaint) => `${name}: ${complaint}`);
  });
}

function when(isWrong: boolean, complaint: string): string[] {
  return isWrong ? [complaint] : [];
}

function rights(workload: Resource): string[] {
  const pod = podOf(workload)!.spec as PodSpec;
  const { container } = serviceOf(workload);
  const { securityContext: own = {} } = container;
  const { securityContext: shared = {} } = pod;
  const drop = (own.capabilities as { drop?: string[] } | undefined)?.drop ?? [];
  return [
    ...when(pod.automountServiceAccountToken !== false, "it is given a token for the cluster's API"),
    ...when(pod.serviceAccountName !== "parley", "it runs as an account that is not Parley's"),
    ...when(pod.enableServiceLinks !== false, "Kubernetes tells it of Services in names of settings (API_PORT)"),
    ...when(shared.runAsNonRoot !== true || !(Number(shared.runAsUser) > 0), "it may run as root"),
    ...when((shared.seccompProfile as { type?: string } | undefined)?.type !== "RuntimeDefault", "no seccomp profile"),
    ...when(own.allowPrivilegeEscalation !== false, "it may gain rights"),
    ...when(own.readOnlyRootFilesystem !== true, "it may write everywhere"),
    ...when(!drop.includes("ALL"), "it has capabilities"),
    ...["cpu", "memory"].flatMap((what) => [
      ...when(container.resources?.requests?.[what] === undefined, `it requests no ${what}`),
      ...when(container.resources?.limits?.[what] === undefined, `it has no limit of ${what}`),
    ]),
  ];
}

// Who is led to it has to learn first that it goes; then it finishes what it has in hand.
function ending(workload: Resource, resources: readonly Resource[]): string[] {
  const pod = podOf(workload)!;
  const { container } = serviceOf(workload);
  const isLedTo = resources.some((one) => one.kind === "Service" && servedBy(one, resources).includes(workload));
  const pause = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const grace = (pod.spec as PodSpec).terminationGracePeriodSeconds ?? 30;
  return [
    ...when(isLedTo && pause < 3, "a Service leads to it while it stops listening (no preStop)"),
    ...when(
      grace < pause + closeLimitSeconds + 2,
      `it is killed after ${grace} s, and may need ${pause + closeLimitSeconds}`,
    ),
  ];
}

function spread(workload: Resource): string[] {
  const constraints = (podOf(workload)!.spec as PodSpec).topologySpreadConstraints ?? [];
  const { strategy } = workload.spec as { strategy?: { rollingUpdate?: { maxUnavailable?: unknown } } };
  return [
    ...["kubernetes.io/hostname", "topology.kubernetes.io/zone"].flatMap((key) => {
      const found = constraints.find(({ topologyKey }) => topologyKey === key);
      return when(
        !found?.matchLabelKeys?.includes("app.kubernetes.io/name"),
        `its replicas are not spread over ${key}`,
      );
    }),
    ...when(
      workload.kind === "Deployment" && strategy?.rollingUpdate?.maxUnavailable !== 0,
      "an old replica goes before a new one is ready",
    ),
  ];
}

function disruption(workload: Resource, resources: readonly Resource[]): string[] {
  const name = podOf(workload)!.metadata.labels?.["app.kubernetes.io/name"];
  const budgets = resources.filter(({ kind, spec }) => {
    const { selector } = (spec ?? {}) as { selector?: { matchLabels?: Record<string, string> } };
    return kind === "PodDisruptionBudget" && selector?.matchLabels?.["app.kubernetes.io/name"] === name;
  });
  return when(budgets.length !== 1, `it has ${budgets.length} PodDisruptionBudgets`);
}
