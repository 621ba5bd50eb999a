// Objects of Kubernetes as the tests read them: the fields that are asked about.

/** One object of Kubernetes. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export interface Container {
  name: string;
  image: string;
  args?: string[];
  command?: string[];
  env?: { name: string; value?: string; valueFrom?: Record<string, { name: string; key: string }> }[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  ports?: { name?: string; containerPort: number }[];
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean; subPath?: string }[];
  securityContext?: Record<string, unknown>;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
}

export interface Probe {
  httpGet?: { path: string; port: string | number };
  periodSeconds?: number;
  failureThreshold?: number;
}

export interface Pod {
  containers: Container[];
  initContainers?: Container[];
  volumes?: {
    name: string;
    secret?: { secretName: string; items?: { key: string; path: string }[]; defaultMode?: number };
    configMap?: { name: string };
    emptyDir?: object;
  }[];
  [field: string]: unknown;
}

/** What a Deployment, StatefulSet or Job starts. */
export function podOf(resource: Resource): { metadata: { labels?: Record<string, string> }; spec: Pod } | undefined {
  const { template } = (resource.spec ?? {}) as {
    template?: { metadata: { labels?: Record<string, string> }; spec: Pod };
  };
  return template?.spec?.containers === undefined ? undefined : template;
}

export function containersOf(resource: Resource): Container[] {
  const pod = podOf(resource)?.spec;
  return pod === undefined ? [] : [...(pod.initContainers ?? []), ...pod.containers];
}
