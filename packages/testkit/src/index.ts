// @parley/testkit: real servers and the whole cluster, for `npm start` and for tests.
export { type Cluster, type ClusterOptions, startCluster } from "./cluster.ts";
export type { Which } from "./controls.ts";
export { eventually } from "./eventually.ts";
export { freePort } from "./free-port.ts";
export type { Part } from "./parts.ts";
export type { Login, RunFile } from "./run-file.ts";
export { serviceContext, type TestServiceContext } from "./service-context.ts";
export { type ClusterSettings, type PublicPorts, type Replicas, readClusterSettings } from "./settings.ts";
export { SetupError } from "./setup-error.ts";
export { startServers, type TestContext, type TestServer } from "./start-servers.ts";
export { readLog, startTestCluster } from "./start-test-cluster.ts";
