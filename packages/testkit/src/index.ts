// @parley/testkit: real servers and the whole cluster, for `npm start` and for tests.
export { type Cluster, type ClusterOptions, startCluster } from "./cluster/cluster.ts";
export type { Which } from "./cluster/controls.ts";
export { restartWithoutData } from "./cluster/forget.ts";
export type { Part } from "./cluster/parts.ts";
export type { Login, RunFile } from "./cluster/run-file.ts";
export { type ClusterSettings, type PublicPorts, type Replicas, readClusterSettings } from "./cluster/settings.ts";
export { type Direction, type Link, startLink } from "./faults/link.ts";
export type { LinkedServer } from "./faults/links.ts";
export { mountSmallDisk, type SmallDisk } from "./faults/small-disk.ts";
export { type Fault, type FaultyMongo, startFaultyMongo } from "./mongo/faulty-mongo.ts";
export { type MongoKind, type MongoServer, startableKind, startMongo } from "./mongo/server.ts";
export { hasMongo } from "./mongo/shared-server.ts";
export { type TestMongo, testMongo } from "./mongo/test-mongo.ts";
export { type Child, searchPath, startChild } from "./processes/child.ts";
export { eventually } from "./processes/eventually.ts";
export { freePort } from "./processes/free-port.ts";
export { SetupError } from "./processes/setup-error.ts";
export { programOf } from "./programs/programs.ts";
export { type ProviderApart, startProviderApart } from "./push/apart.ts";
export { type Apns, type ApnsOptions, type ApnsRequest, startApns } from "./push/apns.ts";
export type { ApnsReply } from "./push/apns-reply.ts";
export { type Authority, testAuthority } from "./push/certificates.ts";
export { type Fcm, type FcmOptions, type FcmRequest, fcmError, startFcm } from "./push/fcm.ts";
export { keyFolder } from "./push/folder.ts";
export type { HttpsReply } from "./push/https-reply.ts";
export {
  type Subscription,
  startWebPush,
  type WebPush,
  type WebPushOptions,
  type WebPushRequest,
} from "./push/web-push.ts";
export { startS3, type TestS3 } from "./s3/test-s3.ts";
export { hasS3 } from "./s3/versitygw.ts";
export { serviceContext, type TestServiceContext } from "./testing/service-context.ts";
export { endProcess, processEnd, startServiceProcess } from "./testing/service-process.ts";
export { startServers, type TestContext, type TestServer } from "./testing/start-servers.ts";
export { readLog, startTestCluster } from "./testing/start-test-cluster.ts";
