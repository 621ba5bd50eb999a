// @parley/testkit: real servers and the whole cluster, for `npm start` and for tests.
export { eventually } from "./eventually.ts";
export { freePort } from "./free-port.ts";
export { startServers, type TestContext, type TestServer } from "./start-servers.ts";
