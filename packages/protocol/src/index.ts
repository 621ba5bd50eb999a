// The one contract of all parts. No I/O; partition numbers need node:crypto and live in "@parley/protocol/partition".
export * from "./append.ts";
export * from "./backoff.ts";
export * from "./check.ts";
export * from "./codec.ts";
export * from "./dialects/index.ts";
export * from "./errors.ts";
export * from "./ids.ts";
export * from "./json-head.ts";
export * from "./limits.ts";
export * from "./message.ts";
export * from "./methods/index.ts";
export * from "./packets/downlink.ts";
export * from "./packets/uplink.ts";
export * from "./services.ts";
export * from "./stored.ts";
export * from "./subjects.ts";
export * from "./topics.ts";
