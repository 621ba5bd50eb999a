// The edge's settings: names, defaults, units.
import { type Config, defineSettings } from "@parley/runtime";
import { Type } from "typebox";

const port = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 0, maximum: 65535, description });
const count = (fallback: number, minimum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, description });

export const settings = defineSettings({
  service: "edge",
  prefix: "EDGE",
  shared: ["PARLEY_BROKER_URL", "PARLEY_DIRECT_SOCKET", "TRUSTED_PROXIES"],
  own: {
    EDGE_HOST: Type.String({ default: "127.0.0.1", description: "address the device ports are bound to" }),
    EDGE_MQTT_PORT: port(1883, "MQTT over TCP; 0 = any free one"),
    EDGE_WS_PORT: port(8083, "MQTT over WebSocket, path /mqtt; 0 = any free one"),
    EDGE_PROXY_PROTOCOL: Type.Boolean({
      default: false,
      description: "MQTT over TCP from trusted proxies must begin with a header of PROXY protocol v2",
    }),
    EDGE_ADMIN_HOST: Type.String({ default: "127.0.0.1", description: "address the admin port is bound to" }),
    EDGE_ADMIN_PORT: port(0, "GET /clients and DELETE /clients/{id}; 0 = any free one"),
    EDGE_HOOKS_URL: Type.String({
      default: "http://127.0.0.1:8090",
      pattern: "^http://[^\\s,]+(,http://[^\\s,]+)*$",
      expects: "one or more http:// addresses with commas between",
      description: "auth-webhook's replicas, asked in turn",
    }),
    EDGE_HOOK_TIMEOUT_MS: count(5000, 1, "a hook that takes longer refuses (ms)"),
    EDGE_DECISION_WAIT_MS: count(
      20_000,
      0,
      "a publish or SUBSCRIBE that no hook decides waits so long, then its connection is closed (ms)",
    ),
    EDGE_DECISION_CACHE_ENTRIES: count(200_000, 1, "answers kept at once, of publish and of subscribe each"),
    EDGE_BROKER_TIMEOUT_MS: count(5000, 1, "a broker that takes longer to answer CONNECT is unavailable (ms)"),
    EDGE_CONNECT_TIMEOUT_MS: count(10_000, 1, "a connection without CONNECT ends (ms)"),
    EDGE_MAX_CONNECTIONS: count(20_000, 1, "devices connected at once, two open files each; the next is closed"),
    EDGE_SILENT_CONNECTIONS: count(
      20_000,
      1,
      "connections without CONNECT at once; for the next the oldest of the address that has most is closed",
    ),
    EDGE_CONNECTS_AT_ONCE: count(64, 1, "CONNECTs judged at once, by hooks and broker; the next wait in order"),
    EDGE_CONNECTS_WAITING: count(
      20_000,
      0,
      "CONNECTs that may wait; the next is closed, first of the address that waits most",
    ),
    EDGE_CONNECT_WAIT_MS: count(
      20_000,
      1,
      "how long a CONNECT may wait, for its turn and for hooks that do not answer, before it is closed (ms)",
    ),
    EDGE_MAX_PACKET_BYTES: count(128 * 1024, 1024, "largest packet taken from a device (bytes)"),
    EDGE_RATE_PACKETS: count(
      400,
      1,
      "packets a device may send (per second, twice that at once); QoS 0 beyond is dropped",
    ),
    EDGE_RATE_BYTES: count(1024 * 1024, 1024, "bytes a device may send (per second, four times that at once)"),
    EDGE_UNREAD_MS: count(60_000, 1, "a device that reads nothing of what it was sent for so long is closed (ms)"),
    EDGE_USER_SESSIONS_AWAY: count(16, 1, "sessions of one user whose devices are away; of more the longest away ends"),
    EDGE_BROKER_MEMORY_BYTES: count(
      1024 * 1024 * 1024,
      1024 * 1024,
      "Mosquitto's memory_limit; from three eighths of it sessions of devices that are away end, longest away first",
    ),
    EDGE_SESSION_EXPIRY_SECONDS: count(3600, 0, "longest life of a session whose device is away (s)"),
  },
});

export type EdgeConfig = Config<typeof settings>;
