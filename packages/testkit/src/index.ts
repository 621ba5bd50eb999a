// @parley/testkit: real servers and the whole cluster, for `npm start` and for tests.
export { type Cluster, type ClusterOptions, startCluster } from "./cluster.ts";
export type { Which } from "./controls.ts";
export { eventually } from "./eventually.ts";
export { restartWithoutData } from "./faults/forget.ts";
export { type Direction, type Link, startLink } from "./faults/link.ts";
export type { LinkedServer } from "./faults/links.ts";
export { mountSmallDisk, type SmallDisk } from "./faults/small-disk.ts";
export { freePort } from "./free-port.ts";
export { type MongoKind, type MongoServer, startableKind, startMongo } from "./mongo/server.ts";
export { hasMongo } from "./mongo/shared-server.ts";
export { type TestMongo, testMongo } from "./mongo.ts";
export type { Part } from "./parts.ts";
export type { Login, RunFile } from "./run-file.ts";
export { serviceContext, type TestServiceContext } from "./service-context.ts";
export { type ClusterSettings, type PublicPorts, type Replicas, readClusterSettings } from "./settings.ts";
export { SetupError } from "./setup-error.ts";
export { startServers, type TestContext, type TestServer } from "./start-servers.ts";
export { readLog, startTestCluster } from "./start-test-cluster.ts";
