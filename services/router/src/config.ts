// What a router can be told by its environment.
import { limits } from "@parley/protocol";
import { type Config, defineSettings } from "@parley/runtime";
import Type from "typebox";

export const settings = defineSettings({
  service: "router",
  prefix: "ROUTER",
  shared: ["NATS_URL", "REDIS_URL", "PARLEY_BROKER_URL", "PARLEY_DIRECT_SOCKET", "GUESTS"],
  own: {
    ROUTER_WINDOW: Type.Integer({
      default: 1_000,
      minimum: 1,
      maximum: 1_000,
      description: "uplink packets of one partition taken at once (MQTT Receive Maximum)",
    }),
    ROUTER_MAX_IN_FLIGHT: Type.Integer({
      default: 1_000,
      minimum: 1,
      maximum: 65_535,
      description: "publishes of one session without PUBACK, where the broker announces no lower Receive Maximum",
    }),
    ROUTER_PACKET_BYTES: Type.Integer({
      default: limits.packetBytes,
      minimum: 1_024,
      maximum: 256 * 1024,
      description: "largest uplink packet (bytes)",
    }),
    ROUTER_RATE: Type.Integer({ default: 100, minimum: 1, description: "packets a second a device may send" }),
    ROUTER_BURST: Type.Integer({ default: 1_000, minimum: 1, description: "packets a device may send at once" }),
    ROUTER_STORE_TIMEOUT_MS: Type.Integer({
      default: 10_000,
      minimum: 1_000,
      description: "how long a packet may wait to be stored before it is refused as unavailable (ms)",
    }),
    ROUTER_PUBLIC_URL: Type.String({
      default: "http://127.0.0.1:8080",
      pattern: "^https?://[^/]+(/.*[^/])?$",
      description:
        "address of the HTTP API as devices reach it: devices of other protocols are sent addresses of files",
    }),
    ROUTER_REQUESTS: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 64,
      description: "append requests to one history replica at a time; what waits meanwhile goes in the next",
    }),
  },
});

export type RouterConfig = Config<typeof settings>;
