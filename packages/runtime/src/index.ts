// @parley/runtime: what every service's main.ts needs.
export * from "./ask-holder.ts";
export * from "./broker-session/index.ts";
export * from "./checkpoints.ts";
export * from "./config.ts";
export * from "./health.ts";
export * from "./holders.ts";
export { leaseKey, noticeChannel } from "./lease-keys.ts";
export * from "./leases.ts";
export * from "./log.ts";
export * from "./main.ts";
export * from "./metrics.ts";
export * from "./nats.ts";
export * from "./redis.ts";
export * from "./request.ts";
export * from "./revocations.ts";
export * from "./rpc.ts";
export * from "./secrets.ts";
export { sayWaiting, type Waiting } from "./waiting.ts";
